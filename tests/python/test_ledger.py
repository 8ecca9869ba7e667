# SPDX-License-Identifier: Apache-2.0
"""Key, Storage, Node, Contract, Ledger, Proof, Day: a ledger made and verified, with storage, transport and contracts
in Python."""
import gc
import hashlib
import pathlib
import random
import sqlite3
import tempfile
import unittest

from support import MORNING, _native, carry_day, market_keys, mg, open_node, small_case

REFUSED = _native.STATUS


class Keys(unittest.TestCase):
    # RFC 8032, 7.1, test 2
    SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    SIGNATURE = bytes.fromhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")

    def test_published_vector(self):
        key = mg.Key.from_seed(self.SEED)
        self.assertEqual((key.public, key.sign(b"\x72")), (self.PUBLIC, self.SIGNATURE))
        self.assertTrue(mg.verify_signature(self.PUBLIC, b"\x72", self.SIGNATURE))
        self.assertFalse(mg.verify_signature(self.PUBLIC, b"\x73", self.SIGNATURE))
        self.assertEqual(mg.sha256(b"abc"), hashlib.sha256(b"abc").digest())

    def test_pem_there_and_back(self):
        text = mg.Key.from_seed(self.SEED).to_pem("correct horse")
        self.assertEqual(mg.Key.from_pem(text, "correct horse").public, self.PUBLIC)
        self.assertRaises(mg.VerificationError, mg.Key.from_pem, text, "wrong horse")
        self.assertRaises(mg.MgcError, mg.Key.from_seed(self.SEED).to_pem, "short")

    def test_a_signer_in_python(self):
        inner = mg.Key.from_seed(self.SEED)
        outer = mg.Key.from_signer(self.PUBLIC, inner.sign)
        self.assertEqual(outer.sign(b"\x72"), self.SIGNATURE)
        liar = mg.Key.from_signer(self.PUBLIC, lambda message: bytes(64))
        self.assertRaises(mg.VerificationError, liar.sign, b"x")

        def broken(_message):
            raise ConnectionError("the module is gone")

        self.assertRaisesRegex(ConnectionError, "gone", mg.Key.from_signer(self.PUBLIC, broken).sign, b"x")
        self.assertRaises(ValueError, mg.Key.from_signer(self.PUBLIC, lambda m: b"short").sign, b"x")

    def test_wrong_lengths(self):
        self.assertRaises(ValueError, mg.Key.from_seed, b"short")
        self.assertRaises(TypeError, mg.Key.from_seed, "x" * 32)
        self.assertNotEqual(mg.Key.generate().public, mg.Key.generate().public)


class ADay(unittest.TestCase):
    """One day on the ledger, asked, proved, verified."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.result = small_case().solve()
        with open_node(cls.folder.name) as node:
            cls.day, cls.now = carry_day(node, small_case(), cls.result)
            cls.expected = [cls.day.expect(i) for i in range(2)]
        cls.ledger = mg.Ledger.open(cls.folder.name, as_="regulator")

    @classmethod
    def tearDownClass(cls):
        cls.ledger.close()
        cls.folder.cleanup()

    def test_it_verifies(self):
        counted = self.ledger.verify()
        self.assertTrue(counted.executed)
        self.assertGreater(counted.transactions, 40)
        self.assertEqual((counted.chains, counted.uncertified, counted.torn_bytes), (3, 0, 0))

    def test_trades_are_the_bargain_and_proved(self):
        trades = self.ledger.trades(microgrid="farm")
        self.assertTrue(len(trades))
        agreed = self.result.trades[0]
        self.assertEqual(sum(row.wh for row in trades), round(1000 * agreed.sent_kwh))
        for row in trades:
            self.assertEqual((row.seller, row.buyer), (agreed.seller, agreed.buyer))
            shown = row.proof.verify(self.ledger.chain("trading").id)
            self.assertEqual(shown.kind, "record")
        self.assertAlmostEqual(sum(row.worth_micro for row in trades) / 1e6, agreed.money, delta=1e-3)

    def test_settlement_is_what_the_day_expects(self):
        for microgrid, expected in zip(("farm", "mill"), self.expected):
            rows = self.ledger.settlement(microgrid=microgrid)
            self.assertEqual(sum(row.grid_micro for row in rows), -expected["grid_micro"])
            self.assertEqual(sum(row.imbalance_micro for row in rows), -expected["imbalance_micro"])
        self.assertEqual(self.expected[0]["trades_micro"], -self.expected[1]["trades_micro"])

    def test_books_balance(self):
        sums = {}
        for account in self.ledger.chain("trading").accounts():
            debit, credit = sums.get(account.unit, (0, 0))
            sums[account.unit] = debit + account.debits_posted, credit + account.credits_posted
        self.assertTrue(sums)
        for debit, credit in sums.values():
            self.assertEqual(debit, credit)

    def test_every_kind_of_proof_and_none_that_is_forged(self):
        chain = self.ledger.chain("trading")
        block = chain.block(2)
        account = next(chain.accounts())
        proofs = {"transaction": chain.prove_transaction(2, 0), "receipt": chain.prove_receipt(2, 0),
                  "head": chain.prove_head(2),
                  "block": chain.prove_block(2), "ancestor": chain.prove_ancestor(1, 3),
                  "record": chain.prove_account(account.id),
                  "absence": chain.prove_account(b"\xff" * 16)}
        rng = random.Random(5)
        for kind, proof in proofs.items():
            shown = proof.verify(chain.id)
            self.assertEqual(shown.kind, kind)
            self.assertRaises(mg.VerificationError, proof.verify, bytes(32))
            data = bytes(proof)
            for _ in range(30):
                at, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
                forged = data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]
                self.assertRaises(mg.MgcError, mg.Verifier(chain.id).verify, forged)
            self.assertRaises(mg.MgcError, mg.Verifier(chain.id).verify, data[:-1])
            self.assertRaises(mg.MgcError, mg.Verifier(chain.id).verify, b"")
        self.assertEqual(proofs["transaction"].verify().item_hash, block.transactions[0].tx_id)
        self.assertEqual(mg.Verifier(chain.id).account(proofs["record"]).id, account.id)

    def test_a_chain_is_followed(self):
        chain = self.ledger.chain("trading")
        follower = mg.Verifier(chain.id)
        follower.follow(chain.prove_head(1))
        follower.follow(chain.prove_block(2))
        kept = mg.Verifier.restore(follower.state)
        kept.follow(chain.prove_consistency(2, chain.height))
        self.assertEqual((follower.height, kept.height), (2, chain.height))
        self.assertRaises(mg.MgcError, kept.follow, chain.prove_head(1))
        self.assertRaises(ValueError, mg.Verifier.restore, b"x")
        chain.witness(chain.prove_head(chain.height))

    def test_blocks_and_transactions(self):
        chain = self.ledger.chain("trading")
        previous = None
        for block in chain.blocks():
            self.assertEqual(len(block.receipts), len(block.transactions) + 1)
            if previous is not None:
                self.assertEqual(block.previous, previous)
            previous = block.hash
            for index, (tx, receipt) in enumerate(zip(block.transactions, block.receipts)):
                self.assertEqual(tx.tx_id, receipt.tx_id)
                self.assertEqual(chain.find(tx.tx_id), (block.height, index))
                self.assertEqual(mg.decode_transaction(tx.data), tx)
        self.assertEqual(previous, chain.info["block_hash"])
        self.assertEqual(len(chain.state_root), 32)
        self.assertTrue(all(key for key, _ in chain.records("trading")))
        self.assertRaises(mg.NotFound, chain.block, 10**6)
        self.assertRaises(mg.NotFound, chain.find, bytes(32))

    def test_pages_and_who_sees_what(self):
        whole = self.ledger.transactions()
        page = self.ledger.transactions(limit=7)
        rows = list(page)
        while page.cursor:
            page = self.ledger.transactions(limit=7, cursor=page.cursor)
            rows += page
        self.assertEqual([row.tx_id for row in rows], [row.tx_id for row in whole])
        self.assertEqual(whole[0].proof.verify().kind, "transaction")
        self.assertEqual(self.ledger.blocks()[0].proof.verify().kind, "head")
        self.assertEqual(self.ledger.accounts()[0].proof.verify().kind, "record")
        with mg.Ledger.open(self.folder.name) as public:
            self.assertLess(len(public.query("settlement")), len(self.ledger.settlement()))
        self.assertRaises(mg.NotFound, self.ledger.query, "gossip")
        self.assertRaises(mg.MgcError, self.ledger.query, "trades", colour="red")
        self.assertRaises(AttributeError, lambda: whole[0].colour)
        self.assertRaises(mg.UnknownKey, lambda: self.ledger.members()[0].proof)
        self.assertRaises(mg.UnknownKey, mg.Ledger.open, self.folder.name, as_="nobody")

    def test_damage_is_found_and_named(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in pathlib.Path(self.folder.name).iterdir():
                data = bytearray(path.read_bytes())
                if len(data) > 2000:
                    data[len(data) // 2] ^= 1
                (pathlib.Path(folder) / path.name).write_bytes(data)
            with self.assertRaises(mg.VerificationError) as caught:
                mg.Ledger.open(folder)
            self.assertEqual(caught.exception.name, "MGC_E_CORRUPT")
            self.assertRegex(caught.exception.message, "journal.* at byte [0-9]+")

    def test_a_folder_without_a_ledger(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertRaises(mg.MgcError, mg.Ledger.open, folder)
            self.assertRaises(mg.MgcError, mg.Ledger.open, folder + "/nowhere")


class Nodes(unittest.TestCase):
    def test_refusals_are_told_with_their_rule(self):
        keys, _ = market_keys()
        with open_node(mg.MemoryStorage(), chain="main") as node:
            carry_day(node, until="tariff")
            now = node.info["time_ms"] + 1000
            ticket = node.transact("trading", "deposit", [(keys[_native.MGC_DAY_MANAGER + 1], "manager")], microgrid=1,
                                   amount_micro=5, reference="x")
            self.assertEqual(ticket.state, "open")
            node.flush(now)
            self.assertEqual(ticket.state, "refused")
            self.assertTrue(ticket.info.rule or ticket.info.name)
            self.assertRaises(mg.MgcError, ticket.check)
            good = node.transact("trading", "deposit",
                                 [(keys[_native.MGC_DAY_MARKET_OPERATOR], "market operator")], microgrid=1,
                                 amount_micro=123456, reference="x")
            node.flush(now + 1000)
            self.assertEqual(good.check().state, "committed")
            self.assertEqual(node.submit(b"rubbish").state, "refused")
            self.assertEqual(node.next_nonce(keys[_native.MGC_DAY_MARKET_OPERATOR].public, "trading"), 2)
            operator = [(keys[_native.MGC_DAY_MARKET_OPERATOR], "market operator")]
            told = node.call("trading", "deposit", operator, now_ms=now + 1500, microgrid=1,
                             amount_micro=7, reference="y")
            self.assertEqual((told.state, told.info.height), ("committed", node.chain("trading").height))
            with self.assertRaises(mg.MgcError) as caught:
                node.call("trading", "deposit", operator, now_ms=now + 1800, microgrid=99, amount_micro=7, reference="y")
            self.assertEqual((caught.exception.name, node.next_nonce(operator[0][0].public, "trading")),
                             ("MGC_E_NOT_FOUND", 4))
            self.assertRaises(mg.MgcError, node.receive, 2, b"hello")
            self.assertGreater(node.step(now + 2000), now)
            self.assertIn("main", repr(node))

    def test_arguments_by_name(self):
        self.assertIn("deposit", mg.methods("trading"))
        self.assertEqual([field.name for field in mg.fields("trading", "deposit")],
                         ["microgrid", "amount_micro", "reference"])
        self.assertTrue(mg.arguments("trading", "nominate", microgrid=1, carrier=1, rows=[[10, 1, 2], (11, 3, 4)]))
        for bad, error in (({"microgrid": 1}, mg.FormatError), ({"micrgrid": 1}, mg.UnknownKey),
                           ({"microgrid": 1.0}, TypeError),
                           ({"microgrid": 2**70}, OverflowError), ({"microgrid": -1}, mg.MgcError)):
            self.assertRaises(error, mg.arguments, "trading", "deposit", **bad)
        self.assertRaises(mg.UnknownKey, mg.methods, "tradin")
        self.assertRaises(mg.NotFound, mg.arguments, "trading", "depsit")

    def test_wrong_options(self):
        key = mg.Key.generate()
        self.assertRaises(TypeError, mg.Node, mg.MemoryStorage(), key, colour=1)
        self.assertRaises(OverflowError, mg.Node, mg.MemoryStorage(), key, tick_ms=2**32)
        self.assertRaises(TypeError, mg.Node, 7, key)
        self.assertRaises(ValueError, mg.Node, mg.MemoryStorage(), key, genesis_nonce=b"x")

    def test_the_key_lives_as_long_as_the_node(self):
        storage = mg.MemoryStorage()
        node = mg.Node(storage, mg.Key.from_seed(bytes(32)), chain="main", genesis_time_ms=1000, empty_interval_ms=1000)
        gc.collect()
        for now in range(2000, 9000, 1000):
            node.step(now)
        self.assertGreater(node.chain().height, 3)
        self.assertFalse(storage._locked is False)
        node.close()
        self.assertFalse(storage._locked)

    def test_everything_is_given_back(self):
        for _ in range(3):
            node = open_node(mg.MemoryStorage(), chain="main")
            del node
        gc.collect()
        seen = []

        class Seen(mg.MemoryStorage):
            def __del__(self):
                seen.append(1)

        node = open_node(Seen(), chain="main")
        node.close()
        del node
        gc.collect()
        self.assertEqual(seen, [1])


class PowerLoss(BaseException):
    pass


class TornDisk(mg.Storage):
    """Files in memory that know what was synced; a crash keeps any prefix of the rest, and may tear its bytes."""

    def __init__(self, seed):
        self.files, self.synced, self.rng = {}, {}, random.Random(seed)
        self.calls, self.fault_at, self.error = 0, None, OSError

    def tick(self):
        self.calls += 1
        if self.fault_at is not None and self.calls >= self.fault_at:
            raise self.error("the power went out")

    def list(self):
        return [(name, len(data)) for name, data in self.files.items()]

    def read(self, name, offset, length):
        data = bytes(self.files.get(name, b"")[offset:offset + length])
        if len(data) != length:
            raise OSError(f"{name} is too short")
        return data

    def append(self, name, data):
        self.tick()
        self.files.setdefault(name, bytearray()).extend(data)

    def sync(self, name):
        self.tick()
        self.synced[name] = bytes(self.files.get(name, b""))

    def truncate(self, name, size):
        self.tick()
        if name in self.files:
            del self.files[name][size:]

    def rename(self, old, new):
        self.tick()
        self.files[new] = self.files.pop(old)
        self.synced[new] = self.synced.pop(old, b"")

    def remove(self, name):
        self.tick()
        self.files.pop(name, None)
        self.synced.pop(name, None)

    def sync_names(self):
        self.tick()

    def crash(self):
        """What comes back: at least the synced bytes; of those appended since a prefix, perhaps torn."""
        for name, data in self.files.items():
            kept = self.synced.get(name, b"")
            tail = bytearray(data[len(kept):][:self.rng.randint(0, max(0, len(data) - len(kept)))])
            for at in range(len(tail)):
                if self.rng.random() < 0.1:
                    tail[at] ^= 0xFF
            self.files[name] = bytearray(kept) + tail
        self.synced = {name: bytes(data) for name, data in self.files.items()}
        self.fault_at = None


class OwnStorage(unittest.TestCase):
    def run_until(self, disk, key, until):
        """Blocks until the power goes; the last height that was acknowledged."""
        acknowledged = 0
        try:
            with mg.Node(disk, key, chain="main", genesis_time_ms=1000, empty_interval_ms=1000) as node:
                acknowledged = node.chain().info["acked_height"]
                for now in range(2000 + 1000 * node.chain().height, until, 1000):
                    node.step(now)
                    acknowledged = node.chain().info["acked_height"]
        except OSError as error:
            self.assertIn("power", f"{error} {error.__cause__}")
        return acknowledged

    def test_what_was_acknowledged_survives_a_crash_at_every_call(self):
        key = mg.Key.from_seed(bytes(32))
        whole = TornDisk(0)
        self.run_until(whole, key, 9000)
        self.assertGreater(whole.calls, 10)
        for fault_at in range(1, whole.calls + 1):
            disk = TornDisk(fault_at)
            disk.fault_at = fault_at
            acknowledged = self.run_until(disk, key, 9000)
            disk.crash()
            with mg.Node(disk, key, chain="main", genesis_time_ms=1000, empty_interval_ms=1000) as node:
                self.assertGreaterEqual(node.chain().height, acknowledged, f"crash at call {fault_at}")
                node.step(100000)
            with mg.Ledger.open(disk) as ledger:
                ledger.verify()

    def test_the_hosts_own_exception_comes_out(self):
        disk = TornDisk(1)
        node = mg.Node(disk, mg.Key.from_seed(bytes(32)), chain="main", genesis_time_ms=1000, empty_interval_ms=1000)
        disk.fault_at, disk.error = disk.calls + 1, PowerLoss
        self.assertRaises(PowerLoss, node.step, 5000)
        disk.fault_at = None
        with self.assertRaises(mg.StorageError) as caught:  # what failed once is not trusted again
            node.step(6000)
        self.assertEqual(caught.exception.name, "MGC_E_FAILED")
        node.close()

    def test_a_lock_that_is_held(self):
        storage, key = mg.MemoryStorage(), mg.Key.from_seed(bytes(32))
        with mg.Node(storage, key, chain="main", genesis_time_ms=1000):
            self.assertRaises(BlockingIOError, mg.Node, storage, key, chain="main", genesis_time_ms=1000)
        mg.Node(storage, key, chain="main", genesis_time_ms=1000).close()

    def test_a_short_read_is_an_error_not_rubbish(self):
        class Short(mg.MemoryStorage):
            def read(self, name, offset, length):
                return super().read(name, offset, length)[:-1]

        storage, key = Short(), mg.Key.from_seed(bytes(32))
        with self.assertRaisesRegex(OSError, "gave"):
            with mg.Node(storage, key, chain="main", genesis_time_ms=1000, empty_interval_ms=1000) as node:
                node.step(5000)

    def test_what_is_not_written_is_unsupported(self):
        class Half(mg.Storage):
            pass

        self.assertRaises(NotImplementedError, mg.Node, Half(), mg.Key.from_seed(bytes(32)), chain="main")

    def test_in_a_database(self):
        """SQLite, by Python's own module: it insists on its thread, so calls must come on the caller's."""
        class Database(mg.Storage):
            def __init__(self):
                self.db = sqlite3.connect(":memory:", isolation_level=None)
                self.db.execute("create table piece (file text, at integer, data blob, primary key (file, at))")

            def size(self, name):
                return self.db.execute("select coalesce(max(at + length(data)), 0) from piece where file = ?",
                                       (name,)).fetchone()[0]

            def list(self):
                return [(name, self.size(name)) for (name,
                                                     ) in self.db.execute("select distinct file from piece").fetchall()]

            def read(self, name, offset, length):
                rows = self.db.execute("select data from piece where file = ? order by at", (name,)).fetchall()
                data = b"".join(row[0] for row in rows)[offset:offset + length]
                if len(data) != length:
                    raise OSError(f"{name} is too short")
                return data

            def append(self, name, data):
                self.db.execute("insert into piece values (?, ?, ?)", (name, self.size(name), data))

            def sync(self, name):
                pass

            def truncate(self, name, size):
                data = self.read(name, 0, min(size, self.size(name)))
                self.remove(name)
                if data:
                    self.append(name, data)

            def rename(self, old, new):
                self.db.execute("delete from piece where file = ?", (new,))
                self.db.execute("update piece set file = ? where file = ?", (new, old))

            def remove(self, name):
                self.db.execute("delete from piece where file = ?", (name,))

            def sync_names(self):
                pass

        storage = Database()
        with open_node(storage) as node:
            carry_day(node)
        with mg.Ledger.open(storage, as_="regulator") as ledger:
            self.assertTrue(ledger.verify().executed)
            self.assertTrue(len(ledger.trades()))


class Counter(mg.Contract):
    """Counts, takes a fee from the sender's microgrid, answers what it counted."""

    id, name, code_version = 103, "counter", 1
    code_hash = hashlib.sha256(b"counter 1").digest()
    seen = []

    def own(self, last):
        return self.id.to_bytes(4, "big") + bytes(11) + bytes([last])

    def check(self, call):
        if call.method == "never":
            raise mg.Refusal("MGC_E_SCHEMA", "never is not a method")

    def execute(self, env, call):
        self.seen.append(env)
        if call.method == "count":
            n = int.from_bytes(env.get(b"n") or b"\0", "big") + 1
            env.put(b"n", n.to_bytes(4, "big"))
            env.put(b"h" + env.height.to_bytes(8, "big"), call.arguments)
            env.emit("counted", bytes([n]))
        elif call.method == "fee":
            env.open_account(self.own(1), unit=_native.MGC_UNIT_MICRO_CURRENCY, code=7)
            env.transfer(self.own(2), mg.account_id(_native.MGC_ACCOUNT_MONEY, 1), self.own(1), 100,
                         unit=_native.MGC_UNIT_MICRO_CURRENCY, code=9)
            assert env.account(self.own(1)).credits_posted == 100
        elif call.method == "remove":
            env.remove(b"n")
        elif call.method == "who":
            env.emit("who", repr(env.signers).encode())
            assert not env.signed(99, "manager") and len(env.chain_id) == 32 and env.time_ms > 0
        elif call.method == "broken":
            env.put(b"n", b"\xff")
            raise ZeroDivisionError("a bug of mine")
        elif call.method == "undo":
            env.put(b"n", b"\xff")
            env.refuse("MGC_E_RANGE", "100 % refused: %s %n")
        elif call.method == "long":
            env.put(b"k" * 1000, b"")
        else:
            super().execute(env, call)

    def query(self, env, query):
        if query.what == "counted":
            return ("key", "value"), [(key, value) for key,
                                      value in env.items(query.arguments.get("prefix", "").encode())]
        if query.what == "who":
            return [{"caller": query.caller, "all": int(query.sees_all)}]
        return None


class OwnContract(unittest.TestCase):
    def setUp(self):
        self.keys, _ = market_keys()
        self.storage = mg.MemoryStorage()
        self.node = open_node(self.storage, chain="main", contracts=[Counter()], empty_interval_ms=1000)
        carry_day(self.node, until="deposit")
        self.now = self.node.info["time_ms"]
        self.send("information", "deploy", [(self.keys[_native.MGC_DAY_ADMINISTRATOR], "administrator")],
                  id=103, version=1,
                  code_hash=Counter.code_hash, activation_height=self.node.chain().height + 3, name="counter").check()
        for _ in range(4):
            self.now += 2000
            self.node.step(self.now)

    def tearDown(self):
        self.node.close()

    def send(self, contract, method, signers=None, **values):
        ticket = self.node.transact(contract, method, signers or [(self.keys.manager(1), "manager")], **values)
        self.now += 2000
        self.node.flush(self.now)
        return ticket

    def counted(self):
        return {row.key: row.value for row in self.node.query("counted", caller=_native.MGC_DAY_REGULATOR)}

    def test_it_is_executed_asked_and_executed_again(self):
        for n in (1, 2):
            ticket = self.send(103, "count", data=b"\x01\x02").check()
            receipt = self.node.chain().block(ticket.info.height).receipts[ticket.info.index]
            self.assertEqual([(e.contract, e.name, e.payload) for e in receipt.events], [(103, "counted", bytes([n]))])
        self.send(103, "fee", data=b"").check()
        self.send(103, "who", data=b"").check()
        self.assertEqual(self.counted()[b"n".hex()], (2).to_bytes(4, "big").hex())
        self.assertEqual(len(self.node.query("counted", prefix="h", caller=_native.MGC_DAY_REGULATOR)), 2)
        who = self.node.query("who", caller=_native.MGC_DAY_REGULATOR)[0]
        self.assertEqual((who.caller, who["all"]), (_native.MGC_DAY_REGULATOR, 1))
        self.node.close()
        with mg.Ledger.open(self.storage, contracts=[Counter()], as_="regulator") as ledger:
            self.assertTrue(ledger.verify().executed)
            self.assertEqual(len(ledger.query("counted")), 3)
        self.assertRaises(mg.MgcError, mg.Ledger.open, self.storage)  # it is needed to go on

    def test_a_refusal_undoes_and_its_sentence_stands(self):
        self.send(103, "count", data=b"").check()
        ticket = self.send(103, "undo", data=b"")
        self.assertEqual((ticket.info.state, ticket.info.name, ticket.info.rule),
                         ("refused", "MGC_E_RANGE", "100 % refused: %s %n"))
        self.assertEqual(self.counted()[b"n".hex()], (1).to_bytes(4, "big").hex())
        self.assertEqual(self.send(103, "never", data=b"").info.rule, "never is not a method")
        self.assertEqual(self.send(103, "unknown", data=b"").info.rule, "no such method")
        self.assertEqual(self.send(103, "long", data=b"").info.name, "MGC_E_CONTRACT")
        self.send(103, "remove", data=b"").check()
        self.assertNotIn(b"n".hex(), self.counted())

    def test_a_bug_is_undone_and_comes_out_of_the_step(self):
        ticket = self.node.transact(103, "broken", [(self.keys.manager(1), "manager")], data=b"")
        self.now += 2000
        self.assertRaisesRegex(ZeroDivisionError, "mine", self.node.flush, self.now)
        self.assertEqual((ticket.info.state, ticket.info.name), ("refused", "MGC_E_CONTRACT"))
        self.assertNotIn(b"n".hex(), self.counted())
        self.send(103, "count", data=b"").check()  # the node goes on

    def test_an_environment_is_of_no_use_afterwards(self):
        self.send(103, "count", data=b"").check()
        self.assertRaises(mg.StateError, Counter.seen[-1].get, b"n")
        self.assertRaises(mg.StateError, lambda: Counter.seen[-1].height)


class Wire(mg.Transport):
    def __init__(self, own, wires):
        self.own, self.wires = own, wires

    def send(self, to, data):
        self.wires.append((self.own, to, data))


class OwnTransport(unittest.TestCase):
    def cluster(self, wires, make=Wire):
        keys = {number: mg.Key.from_seed(bytes([number]) * 32) for number in (1, 2, 3)}
        members = [(number, key.public) for number, key in keys.items()]
        return {number: mg.Node(mg.MemoryStorage(), key, id=number, chain="main", members=members,
                                genesis_time_ms=1000, seed=7,
                                empty_interval_ms=200, transport=make(number, wires)) for number, key in keys.items()}

    def run_for(self, nodes, wires, begin, end):
        for now in range(begin, end, 10):
            for node in nodes.values():
                node.step(now)
            letters, wires[:] = wires[:], []
            for sender, to, data in letters:
                if to in nodes:
                    nodes[to].receive(sender, data)

    def test_three_members_agree_by_a_transport_in_python(self):
        wires = []
        nodes = self.cluster(wires)
        self.run_for(nodes, wires, 2000, 6000)
        heights = {number: node.chain().info["final_height"] for number, node in nodes.items()}
        self.assertGreater(min(heights.values()), 2)
        height = min(heights.values())
        self.assertEqual(len({node.chain().block(height).hash for node in nodes.values()}), 1)
        self.assertGreaterEqual(len(nodes[1].chain().block(height).votes), 2)
        leaders = {node.info["leader"] for node in nodes.values()}
        self.assertEqual(len(leaders), 1)
        self.assertEqual([(m.id, m.standing) for m in nodes[1].order_members], [(1, "voter"), (2, "voter"), (3, "voter")])
        self.assertRaises(mg.MgcError, nodes[1].change_member, "remove", 9, bytes(32))
        founder = [(mg.Key.from_seed(b"f" * 32), "administrator"), (mg.Key.from_seed(bytes([1]) * 32), "validator")]
        ticket = nodes[1].call("information", "found", founder, now_ms=6000, name="valley", currency="EUR",
                               slot_ms=3600000, gate_ms=3600000,
                               gate_slots=24, window_ms=3600000, collateral_bp=1000, pending_blocks=1000, first_slot=0,
                               administrator=founder[0][0].public)
        self.assertEqual(ticket.state, "open")  # until they have agreed
        self.run_for(nodes, wires, 6010, 7000)
        self.assertEqual(ticket.check().state, "committed")
        lost = leaders.pop()  # its going is got over
        nodes.pop(lost).close()
        self.run_for(nodes, wires, 7000, 13000)
        self.assertGreater(min(node.chain().info["final_height"] for node in nodes.values()), height)

    def test_lost_messages_are_counted_and_bugs_come_out(self):
        class Broken(Wire):
            error = OSError("no route")

            def send(self, to, data):
                raise self.error

        wires = []
        nodes = self.cluster(wires, Broken)
        for now in range(2000, 5000, 10):
            nodes[1].step(now)
        self.assertGreater(nodes[1].lost, 0)
        Broken.error = ZeroDivisionError("mine")
        with self.assertRaises(ZeroDivisionError):
            for now in range(5000, 8000, 10):
                nodes[1].step(now)


class ADayByHand(unittest.TestCase):
    def test_arrays_instead_of_a_bargain(self):
        case = small_case()
        with open_node(mg.MemoryStorage()) as node:
            day = mg.Day(case, node, market_keys()[1], start_ms=MORNING)
            day.set_grid(0, "electricity", [100, 0, 30, 120], [0, 50, 0, 0])
            day.set_trade(0, 0, [0, 10, 0, 0], [0.1, 0.1, 0.1, 0.1])
            day.set_payment(0, 1, -3.0)
            day.set_metered(0, "electricity", [100, -50, 30, 121])
            self.assertRaises(ValueError, day.set_metered, 1, "electricity", [1.0])
            self.assertRaises(ValueError, day.set_grid, 1, "electricity", [0] * 4, [0] * 3)
            phases = set()
            tx = day.next("agree")
            while tx is not None:
                phases.add(tx.phase)
                tx = day.next("agree")
            self.assertEqual(max(phases), _native.MGC_DAY_AGREE)

    def test_missing_keys_and_bugs_of_the_host(self):
        case, result = small_case(), None
        with open_node(mg.MemoryStorage()) as node:
            day = mg.Day(case, node, mg.Keys({}), start_ms=MORNING)
            result = case.solve()
            day.set_result(result)
            with self.assertRaises(mg.MgcError) as caught:
                day.next()
            self.assertEqual(caught.exception.name, "MGC_E_MISSING_SIGNER")

            def broken(member):
                raise ConnectionError("vault")

            day = mg.Day(case, node, broken, start_ms=MORNING)
            day.set_result(result)
            self.assertRaisesRegex(ConnectionError, "vault", day.next)
            self.assertRaises(TypeError, mg.Day, case, node, broken)
