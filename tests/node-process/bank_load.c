/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of a bank whose members are killed and started again.
 *
 *     bank_load NETWORK MEMBERS SECONDS CLIENTS     NETWORK as `mgchain-node init --bank` made it, its members running
 *
 * Founds the market, enrols CLIENTS members, deploys the bank, opens ACCOUNTS accounts of BEGIN each; then each client moves
 * random amounts, one transaction at a time.  One whose outcome is not known, because the member went away, is sent again,
 * the same bytes, to another member, until it is: no transaction may count twice.  After each answer some client reads all
 * balances at a random member: their total must be what it was.
 *
 * On stdout a line for each answer: "committed ID MS", "refused ID RULE", or "known ID MS" where a member had it in a block already; and "total N" for each reading.  At the end "done". */
#include "bank_client.h"

/* --- moving --------------------------------------------------------------------------------------------- */

/* The total at whatever member this client talks to; one that was away may not have all accounts yet. */
static void read_total(user *u)
{
    char *reply = ask(u, "{\"do\":\"query\",\"what\":\"bank\"}"), *at = reply;
    long total = 0;
    int n = 0;

    while (at != NULL && (at = strstr(at, "\"balance\":\"")) != NULL) {
        total += strtol(at + 11, &at, 10);
        n++;
    }
    if (n != ACCOUNTS) return;
    print_total(u, total);
}

static void *move_money(void *arg)
{
    user *u = arg;
    uint8_t arguments[BANK_ARGUMENTS];

    while (steady_ms() < end_ms) {
        uint32_t from = 1 + pick(u, ACCOUNTS), to = 1 + pick(u, ACCOUNTS - 1);
        deed d = {.contract = BANK_CONTRACT, .method = "transfer", .arguments = arguments, .len = sizeof arguments, .signers = {u->key},
                  .roles = {MGC_ROLE_USER}, .n = 1};
        bank_arguments(arguments, from, to < from ? to : to + 1, 1 + pick(u, BEGIN / 3));
        (void)carry_out(u, &d, true);
        if (pick(u, 4) == 0) read_total(u);
        if (pick(u, 8) == 0) hang_up(u); /* another member */
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static user users[CLIENTS_LIMIT];

    if (argc != 5) fail("usage", "bank_load NETWORK MEMBERS SECONDS CLIENTS");
    begin_users(users, argv[1], (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[4]));
    puts("ready");
    fflush(stdout);
    end_ms = steady_ms() + 1000 * (uint64_t)atoi(argv[3]);
    for (uint32_t i = 0; i < n_users; i++)
        if (pthread_create(&users[i].thread, NULL, move_money, &users[i]) != 0) fail("thread", "none left");
    for (uint32_t i = 0; i < n_users; i++) (void)pthread_join(users[i].thread, NULL);
    puts("done");
    end_users(users);
    return fflush(stdout) == 0 ? 0 : 1;
}
