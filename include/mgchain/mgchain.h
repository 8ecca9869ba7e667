/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mgchain.h
 * Every public header of the core library.
 */
#ifndef MGCHAIN_MGCHAIN_H
#define MGCHAIN_MGCHAIN_H

#include "mgchain/base.h"
#include "mgchain/program.h"
#include "mgchain/robust.h"
#include "mgchain/dispatch.h"
#include "mgchain/bargain.h"
#include "mgchain/crypto.h"
#include "mgchain/storage.h"
#include "mgchain/ledger.h"
#include "mgchain/verify.h"
#include "mgchain/consensus.h"
#include "mgchain/contract.h"
#include "mgchain/settle.h"
#include "mgchain/transport.h"
#include "mgchain/node.h"

#endif
