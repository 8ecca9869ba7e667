/* SPDX-License-Identifier: Apache-2.0 */
/* Settings files of programs: what they hold, and every fault with its place. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mgchain/io.h>

static mgc_ctx *ctx;
static char path[] = "/tmp/mgchain-settings-XXXXXX";

static mgc_settings *load(const char *text, mgc_status expected)
{
    mgc_settings *s = NULL;
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    ck_assert_int_eq(mgc_settings_load_file(ctx, path, "try-1", &s), expected);
    return s;
}

static void expect_fault(const mgc_settings *s, uint32_t index, const char *part)
{
    const char *text = mgc_settings_fault_text(s, index);

    ck_assert_msg(text != NULL && strstr(text, part) != NULL, "fault %u is \"%s\", not \"...%s...\"", index, text != NULL ? text : "none", part);
}

START_TEST(values_by_their_paths)
{
    mgc_settings *s = load("format: try-1\nname: a\ndeep: {list: [{x: 7}, {x: 8, word: \"9\"}]}\n", MGC_OK);

    ck_assert_str_eq(mgc_settings_text(s, "name", NULL), "a");
    ck_assert_uint_eq(mgc_settings_count(s, "deep.list"), 2);
    ck_assert_uint_eq(mgc_settings_count(s, "deep.none"), 0);
    ck_assert_uint_eq(mgc_settings_whole(s, "deep.list[1].x", 0, 9, 0), 8);
    ck_assert_str_eq(mgc_settings_text(s, "deep.list[1].word", NULL), "9");
    ck_assert_int_eq(mgc_settings_has(s, "deep.list[2]"), 0);
    ck_assert_int_eq(mgc_settings_has(s, "deep.list[0].x"), 1);
    ck_assert_uint_eq(mgc_settings_whole(s, "absent", 0, 9, 5), 5);
    ck_assert_str_eq(mgc_settings_text(s, "absent", "so"), "so");
    mgc_settings_keys(s, "", "format name deep");
    ck_assert_uint_eq(mgc_settings_faults(s), 0);
    mgc_settings_destroy(s);
}
END_TEST

START_TEST(faults_are_kept_with_line_key_and_cure)
{
    mgc_settings *s = load("format: try-1\nnmae: a\nport: 70000\nlist: {}\n", MGC_OK);

    mgc_settings_keys(s, "", "format name port list");
    (void)mgc_settings_whole(s, "port", 1, 65535, MGC_SETTINGS_NEEDED);
    ck_assert_ptr_null(mgc_settings_text(s, "name", NULL));
    ck_assert_uint_eq(mgc_settings_count(s, "list"), 0);
    mgc_settings_fault(s, "port", "is taken", "another one");
    ck_assert_uint_eq(mgc_settings_faults(s), 5);
    expect_fault(s, 0, ":2:1: nmae: the key \"nmae\" is not known here; did you mean \"name\"?");
    expect_fault(s, 1, ":3:7: port: is 70000; must be a whole number from 1 to 65535");
    expect_fault(s, 2, "name: is missing");
    expect_fault(s, 3, ":4:7: list: ");
    expect_fault(s, 4, ":3:7: port: is taken; another one");
    ck_assert_ptr_null(mgc_settings_fault_text(s, 5));
    mgc_settings_destroy(s);
}
END_TEST

START_TEST(other_formats_and_files_are_refused)
{
    mgc_settings *s = load("format: try-2\n", MGC_E_CASE);

    expect_fault(s, 0, ":1:9: format: is \"try-2\"; this program reads try-1");
    mgc_settings_destroy(s);
    s = load("- a\n", MGC_E_CASE);
    mgc_settings_destroy(s);
    s = load("", MGC_E_CASE);
    ck_assert_ptr_null(mgc_settings_text(s, "format", NULL)); /* nothing more to say of an empty file */
    mgc_settings_destroy(s);
    s = load("a: [1\n", MGC_E_CASE);
    mgc_settings_destroy(s);
    ck_assert_int_eq(mgc_settings_load_file(ctx, "/nowhere/at/all", "try-1", &s), MGC_E_NOT_FOUND);
    ck_assert_ptr_null(s);
    mgc_settings_destroy(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings");
    TCase *t = tcase_create("settings");
    int fd = mkstemp(path), failed;

    if (fd < 0 || mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    close(fd);
    tcase_add_test(t, values_by_their_paths);
    tcase_add_test(t, faults_are_kept_with_line_key_and_cure);
    tcase_add_test(t, other_formats_and_files_are_refused);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    mgc_ctx_destroy(ctx);
    remove(path);
    return failed != 0;
}
