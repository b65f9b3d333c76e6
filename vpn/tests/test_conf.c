/* test_conf.c - the syntax of strongswan.conf(5), feature by feature and error by error, and
 * references.
 *
 * The expected trees were checked against what strongSwan 5.9.8's swanctl makes of the same text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vpn/tests/fake_fs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "name{a=1;sub{b=2;}}", cleared values as "a;" */
static void dump(const struct conf_section *section, char *out, size_t cap)
{
	const struct conf_value *v;
	const struct conf_section *s;

	for (v = section->values; v; v = v->next)
		snprintf(out + strlen(out), cap - strlen(out), "%s%s%s;", v->name,
			 v->text ? "=" : "", v->text ? v->text : "");
	for (s = section->sections; s; s = s->next) {
		snprintf(out + strlen(out), cap - strlen(out), "%s{", s->name);
		dump(s, out, cap);
		snprintf(out + strlen(out), cap - strlen(out), "}");
	}
}

static int parse(const struct fake_file *files, const char *text, struct said *said,
		 struct conf *ret_conf)
{
	struct fake_fs fake = {files};
	struct conf_fs fs = {&fake, fake_read, fake_glob, fake_list};
	struct conf_diag diag = {.ctx = said, .say = say};

	said->text[0] = '\0';
	return conf_parse(&fs, "dir/x.conf", text, strlen(text), &diag, ret_conf);
}

static const struct {
	const char *text, *tree;
} syntax[] = {
    {"", ""},
    {"\n \t# only a comment", ""},
    {"a = 1", "a=1;"},
    {"a=1\nb = 2 # comment\nc=3#comment\n", "a=1;b=2;c=3;"},
    {"a = x y   z \t", "a=x y z;"},
    {"s { a = x }", "s{a=x;}"},
    {"s\n{\n a\n = x\n}\n", "s{a=x;}"},
    {"s { t { u { a = 1\n } } }", "s{t{u{a=1;}}}"},
    {"s { } t { }", "s{}t{}"},
    {"a = x{y\nb = x=y\nc = a:b,c.d\nd = b; e = f\n", "a=x{y;b=x=y;c=a:b,c.d;d=b; e = f;"},
    {"a = \"x # y } z\" # c\n", "a=x # y } z;"},
    {"a = \"q \\\" \\n\\t\\\\ \\x\"\n", "a=q \" \n\t\\ x;"},
    {"a = \"one\ntwo\"\nb = 1\n", "a=one\ntwo;b=1;"},
    {"a = \"one\\\ntwo\\\r\nthree\"\n", "a=onetwothree;"},
    {"a = x \"y  z\" w\nb=p\"q\"r\n", "a=x y  z w;b=p q r;"},
    {"a = \"\"\nb = \" \"\n", "a=;b= ;"},
    {"a = 1\na = 2\n", "a=2;"},
    {"a = 1\na = \n", "a;"},
    {"a =\nb = 1\n", "a;b=1;"},
    {"s { a = 1\n b = 2\n }\ns { b = 3\n c = 4\n }", "s{a=1;b=3;c=4;}"},
    {"a = x\r\nb = y\r\n", "a=x;b=y;"},
    {"c@d/e[f]%g { a-b_c@1 = x\n }", "c@d/e[f]%g{a-b_c@1=x;}"},
    {"a = b\\ c\nb = f\\n\n", "a=b\\ c;b=f\\n;"},
    {"include = x\nincluded = y\ninclude { }\n", "include=x;included=y;include{}"},
};

static void every_feature_of_the_syntax_is_read(void **state)
{
	struct said said;
	struct conf conf;
	char tree[500];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(syntax); i++) {
		assert_int_equal(parse(NULL, syntax[i].text, &said, &conf), 0);
		tree[0] = '\0';
		dump(conf.root, tree, sizeof(tree));
		assert_string_equal(tree, syntax[i].tree);
		assert_string_equal(said.text, "");
		conf_free(&conf);
	}
}

static const struct {
	const char *text, *error;
} errors[] = {
    {"a x\n", "dir/x.conf:1: expected '=', '{' or ':' after 'a'"},
    {"\n\na\n\n", "dir/x.conf:3: expected '=', '{' or ':' after 'a'"},
    {"c.d { }", "dir/x.conf:1: expected '=', '{' or ':' after 'c'"},
    {"s {\n a.b = x\n}", "dir/x.conf:2: expected '=', '{' or ':' after 'a'"},
    {"\n{ }", "dir/x.conf:2: unexpected '{'"},
    {"= 1", "dir/x.conf:1: unexpected '='"},
    {"\"q\" { }", "dir/x.conf:1: unexpected '\"'"},
    {"s {\n t {\n }\n", "dir/x.conf:1: section 's' has no closing '}'"},
    {"s { }\n}\n", "dir/x.conf:2: '}' without a section to close"},
    {"s { a = {b}\n }\n", "dir/x.conf:2: '}' without a section to close"},
    {"a = 1\nb = \"x\ny\n", "dir/x.conf:2: the string that begins here has no end"},
    {"b = \"x\\", "dir/x.conf:1: the string that begins here has no end"},
    {"s : {\n }", "dir/x.conf:1: expected the name of a section to inherit from"},
    {"s : a, {\n }", "dir/x.conf:1: expected the name of a section to inherit from"},
    {"s : a\n b { }", "dir/x.conf:2: expected ',' or '{' after the references of 's'"},
    {"s : a", "dir/x.conf:1: expected ',' or '{' after the references of 's'"},
    {"include \n", "dir/x.conf:1: include: expected a file name"},
    {"\n include dir.conf", "dir/dir.conf:3: unexpected ','"},
    {"include loop.conf", "dir/loop.conf:1: files include each other deeper than 16"},
    {"include open.conf", "dir/open.conf:1: section 's' has no closing '}'"},
};

static const struct fake_file bad_files[] = {{"dir/dir.conf", "a = 1\n\n, = 2\n"},
					     {"dir/loop.conf", "include loop.conf\n"},
					     {"dir/open.conf", "s {\n"},
					     {NULL, NULL}};

static void every_error_names_file_and_line(void **state)
{
	char expected[200];
	struct said said;
	struct conf conf = {0};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(errors); i++) {
		assert_int_not_equal(parse(bad_files, errors[i].text, &said, &conf), 0);
		snprintf(expected, sizeof(expected), "E %s\n", errors[i].error);
		assert_string_equal(said.text, expected);
		assert_null(conf.root);
	}
}

static void a_zero_octet_is_an_error(void **state)
{
	struct fake_fs fake = {NULL};
	struct conf_fs fs = {&fake, fake_read, fake_glob, fake_list};
	struct said said = {""};
	struct conf_diag diag = {.ctx = &said, .say = say};
	struct conf conf;

	(void)state;
	assert_int_equal(conf_parse(&fs, "x", "a = 1\0", 6, &diag, &conf), ERR_SYNTAX);
	assert_string_equal(said.text, "E x:1: octet 5 is zero: this is no text file\n");
}

static void sections_nest_only_so_deep(void **state)
{
	char text[3 * (CONF_SECTION_DEPTH + 1) + 1] = "";
	struct said said;
	struct conf conf;
	unsigned i;

	(void)state;
	for (i = 0; i <= CONF_SECTION_DEPTH; i++)
		strcat(text, "s{\n");
	assert_int_equal(parse(NULL, text, &said, &conf), ERR_LIMIT);
	assert_string_equal(said.text, "E dir/x.conf:17: sections nested deeper than 16\n");
}

static void includes_are_relative_and_fill_the_section_they_stand_in(void **state)
{
	static const struct fake_file files[] = {
	    {"dir/conf.d/a.conf", "x = 1\ns { y = 2\n }\ninclude more\n"},
	    {"dir/conf.d/b.conf", "x = 3\n"},
	    {"dir/conf.d/more", "z = 4\n"},
	    {"dir/b c.conf", "w = 5\n"},
	    {"/abs.conf", "v = 6\n"},
	    {NULL, NULL}};
	char tree[200] = "";
	struct said said;
	struct conf conf;

	(void)state;
	assert_int_equal(parse(files,
			       "t { x = 0\n include conf.d/*.conf # these\n }\n"
			       "include \"b c.conf\"\ns { include /abs.conf }\ninclude none\n",
			       &said, &conf),
			 0);
	dump(conf.root, tree, sizeof(tree));
	assert_string_equal(tree, "w=5;t{x=3;z=4;s{y=2;}}s{v=6;}");
	assert_string_equal(said.text, "W dir/x.conf:6: include: no file matches 'dir/none'\n");
	assert_string_equal(conf_find_value(conf_find_section(conf.root, "t"), "z")->at.file,
			    "dir/conf.d/more");
	conf_free(&conf);
}

static const struct {
	const char *text, *tree;
} references[] = {
    {"base { z = 1\n k { l = m\n n = o\n } }\nc { c : base { a = x\n k { n = p\n } } }",
     "c{a=x;z=1;k{n=p;l=m;}}"},
    {"b1 { z = 1\n k { l = m\n } }\nb2 { z = 2\n y = 3\n }\n"
     "c { c : b1, b2 { a = x\n z = \n } d : c.c { a = yy\n } }",
     "c{a=x;y=3;k{l=m;}}d{a=yy;y=3;k{l=m;}}"},
    {"c { c : c.d { a = 1\n } d : c.c { b = 2\n } }", "c{a=1;b=2;}d{b=2;a=1;}"},
    {"c { x : late { } }\nlate { a = 1\n }", "x{a=1;}"},
    {"b1 { z = 1\n }\nb2 { y = 1\n }\nc { c :\n b1 { a = 1\n } c : b2 { } }", "c{a=1;z=1;y=1;}"},
    {"b { k : m { a = 1\n } }\nm { q = 2\n }\nc { c : b { k { r = 3\n } } }", "c{k{r=3;a=1;q=2;}}"},
};

static void references_inherit_values_and_sections(void **state)
{
	struct conf_section *resolved;
	struct conf_diag diag = {0};
	struct said said;
	struct conf conf;
	char tree[200];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(references); i++) {
		assert_int_equal(parse(NULL, references[i].text, &said, &conf), 0);
		assert_int_equal(conf_resolve(&conf, "c", &diag, &resolved), 0);
		tree[0] = '\0';
		dump(resolved, tree, sizeof(tree));
		assert_string_equal(tree, references[i].tree);
		conf_free(&conf);
	}
	assert_int_equal(diag.warnings + diag.errors, 0);
}

static void references_to_nothing_warn_and_endless_ones_are_refused(void **state)
{
	struct said said, later = {""};
	struct conf_diag diag = {.ctx = &later, .say = say};
	struct conf_section *resolved = NULL;
	struct conf conf;

	(void)state;
	assert_int_equal(
	    parse(NULL, "c { x : a.b, c { a = 1\n } }\ne {\n s : e { }\n}", &said, &conf), 0);
	assert_int_equal(conf_resolve(&conf, "none", &diag, &resolved), 0);
	assert_null(resolved);
	assert_int_equal(conf_resolve(&conf, "e", &diag, &resolved), ERR_LIMIT);
	assert_string_equal(later.text,
			    "E dir/x.conf:4: 's' inherits from a section that it stands in\n");
	conf_free(&conf);
	later.text[0] = '\0';
	assert_int_equal(parse(NULL, "c {\n x : a.b { a = 1\n } }", &said, &conf), 0);
	assert_int_equal(conf_resolve(&conf, "c", &diag, &resolved), 0);
	assert_string_equal(later.text,
			    "W dir/x.conf:2: 'x' refers to 'a.b', which does not exist\n");
	conf_free(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_feature_of_the_syntax_is_read),
	    cmocka_unit_test(every_error_names_file_and_line),
	    cmocka_unit_test(a_zero_octet_is_an_error),
	    cmocka_unit_test(sections_nest_only_so_deep),
	    cmocka_unit_test(includes_are_relative_and_fill_the_section_they_stand_in),
	    cmocka_unit_test(references_inherit_values_and_sections),
	    cmocka_unit_test(references_to_nothing_warn_and_endless_ones_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
