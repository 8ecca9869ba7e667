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

#endif
