/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim new: a case to begin with, every line of it explained. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

int cmd_new(sim *s)
{
    const char *path = s->words[0];
    FILE *file = fopen(path, "wx"); /* never over a file that is there */

    if (file == NULL) {
        fprintf(stderr, "mgchain-sim: %s: %s%s\n", path, strerror(errno), errno == EEXIST ? "; choose another name" : "");
        return EXIT_IO;
    }
    bool written = fputs(new_case, file) >= 0;
    if (fclose(file) != 0 || !written) {
        fprintf(stderr, "mgchain-sim: %s: %s\n", path, strerror(errno));
        remove(path);
        return EXIT_IO;
    }
    printf("%s\nNext: mgchain-sim check %s, then mgchain-sim run %s\n", path, path, path);
    return EXIT_DONE;
}
