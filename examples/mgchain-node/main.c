/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

static int usage(void)
{
    fputs("usage: mgchain-node COMMAND ...\n"
          "  init FOLDER [--members 3] [--port 7101] [--chain market] [--bank]   a network to try out\n"
          "  keys FOLDER [--id ID --ca FOLDER]         a signing key; a TLS certificate with it\n"
          "  genesis FILE [--chain market] ID=PUBLICKEY ... [--learner ID=PUBLICKEY]   of members who made their own keys\n"
          "  check CONFIG                              all faults of a configuration, or that it is fine\n"
          "  run CONFIG                                be a member, until SIGTERM\n"
          "  status CONFIG|SOCKET [--json]\n"
          "  members CONFIG|SOCKET                     who takes part, as what\n"
          "  join CONFIG ID [--learner]                approve that ID joins; leave CONFIG ID: that it leaves\n"
          "  query CONFIG|SOCKET|HOST:PORT WHAT [ARGUMENTS [--as MEMBER]]\n"
          "  submit CONFIG|SOCKET|HOST:PORT [--trust CHAINID [--proof FILE]] CONTRACT METHOD [FIELD=VALUE ...] KEYFILE:ROLE ...\n"
          "Exit: 0 done, 1 internal, 2 usage, 3 input, 6 input/output, 7 the data does not verify, 8 no member answers.\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "run") == 0 && argc == 3) return cmd_run(argv[2]);
    if (strcmp(command, "check") == 0 && argc == 3) return cmd_check(argv[2]);
    if (strcmp(command, "init") == 0) return cmd_init(argc - 2, argv + 2);
    if (strcmp(command, "keys") == 0) return cmd_keys(argc - 2, argv + 2);
    if (strcmp(command, "genesis") == 0) return cmd_genesis(argc - 2, argv + 2);
    if (strcmp(command, "status") == 0) return cmd_status(argc - 2, argv + 2);
    if (strcmp(command, "members") == 0) return cmd_members(argc - 2, argv + 2);
    if (strcmp(command, "join") == 0) return cmd_change(argc - 2, argv + 2, true);
    if (strcmp(command, "leave") == 0) return cmd_change(argc - 2, argv + 2, false);
    if (strcmp(command, "query") == 0) return cmd_query(argc - 2, argv + 2);
    if (strcmp(command, "submit") == 0) return cmd_submit(argc - 2, argv + 2);
    return usage();
}
