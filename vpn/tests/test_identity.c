/* Identities. Types, texts and DER are what strongSwan 5.9.8 makes of the same words (`pki --self
 * --dn`, `pki --print`). */
#include "vpn/tests/unhex.h"

#include <string.h>

#include "vpn/crypto/identity.h"

static struct identity parsed(const char *text)
{
	struct identity id = {0};
	struct err_msg msg = {""};

	if (identity_parse(text, &id, &msg))
		fail_msg("'%s': %s", text, msg.text);
	return id;
}

static void text_is_read_and_printed_as_strongswan_does(void **state)
{
	static const struct {
		const char *text;
		enum id_type type;
		const char *printed;
	} rows[] = {
	    {"", ID_ANY, "%any"},
	    {"%any", ID_ANY, "%any"},
	    {"*", ID_ANY, "%any"},
	    {"0.0.0.0", ID_ANY, "%any"},
	    {"192.0.2.1", ID_IPV4_ADDR, "192.0.2.1"},
	    {"2001:db8::1", ID_IPV6_ADDR, "2001:db8::1"},
	    {"vpn.example", ID_FQDN, "vpn.example"},
	    {"@vpn.example", ID_FQDN, "vpn.example"},
	    {"@192.0.2.1", ID_FQDN, "192.0.2.1"},
	    {"fqdn:192.0.2.1", ID_FQDN, "192.0.2.1"},
	    {"a@b.example", ID_RFC822_ADDR, "a@b.example"},
	    {"@@a@b.example", ID_RFC822_ADDR, "a@b.example"},
	    {"email:a@b", ID_RFC822_ADDR, "a@b"},
	    {"ipv4:192.0.2.9", ID_IPV4_ADDR, "192.0.2.9"},
	    {"keyid:road", ID_KEY_ID, "road"},
	    {"keyid:#deadbeef", ID_KEY_ID, "de:ad:be:ef"},
	    {"@#0102ff", ID_KEY_ID, "01:02:ff"},
	    {"not:an:address", ID_KEY_ID, "not:an:address"},
	    {"foo=bar", ID_KEY_ID, "foo=bar"},
	    {"C=FR, O=a,b", ID_KEY_ID, "C=FR, O=a,b"},
	    {"C=FR, O=inetdoc.net, CN=vps", ID_DER_ASN1_DN, "C=FR, O=inetdoc.net, CN=vps"},
	    {" C = FR ,  CN = x ", ID_DER_ASN1_DN, "C=FR, CN=x"},
	    {"/C=FR/CN=x", ID_DER_ASN1_DN, "C=FR, CN=x"},
	    {"C=FR/CN=x", ID_DER_ASN1_DN, "C=FR/CN=x"},
	    {"c=FR, emailAddress=a@b, EN=4", ID_DER_ASN1_DN, "C=FR, E=a@b, employeeNumber=4"},
	    {"CN=\xc3\xa9t\xc3\xa9", ID_DER_ASN1_DN, "CN=??t??"},
	    {"2.5.4.3=x, 1.2.840.113549.9=y", ID_DER_ASN1_DN, "CN=x, 1.2.840.113549.9=y"},
	};
	char buf[IDENTITY_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity id = parsed(rows[i].text);

		assert_int_equal(id.type, rows[i].type);
		assert_string_equal(identity_format(&id, buf, sizeof(buf)), rows[i].printed);
		identity_clear(&id);
	}
}

static void texts_that_break_their_prefix_are_errors(void **state)
{
	static const char *const rows[] = {"ipv4:2001:db8::1",
					   "ipv6:192.0.2.1",
					   "keyid:#xyz",
					   "asn1dn:nonsense",
					   "asn1gn:text",
					   "@#",
					   "@",
					   "fqdn:",
					   "10.0.0.0/8"};
	struct identity id = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err_msg msg = {""};

		assert_true(identity_parse(rows[i], &id, &msg) < 0);
		assert_true(strlen(msg.text) > 10);
		assert_null(id.data);
	}
}

/* String types: PrintableString, UTF8String for '*', '_', '&' and beyond ASCII, IA5String for
 * e-mail. */
static void dn_der_is_that_of_strongswan(void **state)
{
	static const struct {
		const char *text, *der;
	} rows[] = {
	    {"C=FR, CN=vps", "301b 310b3009 0603550406 13024652 310c300a 0603550403 1303767073"},
	    {"CN=a*b", "300e 310c300a 0603550403 0c03612a62"},
	    {"E=a@b", "3014 3112 3010 06092a864886f70d010901 1603614062"},
	};
	uint8_t want[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity id = parsed(rows[i].text);

		assert_int_equal(id.len, unhex(rows[i].der, want));
		assert_memory_equal(id.data, want, id.len);
		identity_clear(&id);
	}
}

static void long_values_have_long_der_lengths(void **state)
{
	char text[400] = "CN=", buf[IDENTITY_STRLEN];
	struct identity id;
	size_t i;

	(void)state;
	for (i = 100; i < 390; i += 7) {
		memset(text + 3, 'x', i - 3);
		text[i] = '\0';
		id = parsed(text);
		assert_int_equal(id.type, ID_DER_ASN1_DN);
		assert_string_equal(identity_format(&id, buf, sizeof(buf)), text);
		identity_clear(&id);
	}
}

static int match(const char *id_text, const char *pattern_text)
{
	struct identity id = parsed(id_text), pattern = parsed(pattern_text);
	int m = identity_match(&id, &pattern);

	/* equality is symmetric, and the best match */
	assert_int_equal(identity_eq(&id, &pattern), identity_eq(&pattern, &id));
	if (identity_eq(&id, &pattern) && pattern.type != ID_ANY)
		assert_int_equal(m, 20);
	identity_clear(&id);
	identity_clear(&pattern);
	return m;
}

static void the_more_exact_pattern_matches_better(void **state)
{
	static const struct {
		const char *id, *pattern;
		int match;
	} rows[] = {
	    {"vpn.example", "vpn.example", 20},
	    {"VPN.example", "vpn.EXAMPLE", 20},
	    {"vpn.example", "*.example", 19},
	    {"vpn.example", "*.other", 0},
	    {"example", "fqdn:*.example", 0},
	    {"a@b.example", "*@b.example", 19},
	    {"vpn.example", "%any", 1},
	    {"vpn.example", "keyid:vpn.example", 0},
	    {"192.0.2.1", "192.0.2.1", 20},
	    {"192.0.2.1", "192.0.2.2", 0},
	    {"keyid:Road", "keyid:road", 0},
	    {"C=FR, CN=vps", "C=FR, CN=vps", 20},
	    {"C=FR, CN=VPS", "C=fr, CN=vps", 20},
	    {"C=FR, O=Acme  Inc, CN=x", "C=FR, O=Acme Inc, CN=x", 20},
	    {"C=FR, CN=a b", "C=FR, CN=ab", 0},
	    {"C=FR, CN=vps", "C=FR, CN=*", 19},
	    {"C=FR, CN=vps", "C=*, CN=*", 18},
	    {"C=FR, CN=vps", "C=FR, O=*", 0},
	    {"C=FR, CN=vps", "CN=vps, C=FR", 0},
	    {"C=FR, CN=vps", "C=FR", 0},
	    {"C=FR, CN=vps", "C=FR, CN=vps2", 0},
	    {"C=FR", "C=FR, CN=*", 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (match(rows[i].id, rows[i].pattern) != rows[i].match)
			fail_msg("%s for %s: %d", rows[i].id, rows[i].pattern,
				 match(rows[i].id, rows[i].pattern));
}

static struct identity dn_of(const char *hex)
{
	uint8_t buf[128];
	struct identity id = {0};

	assert_int_equal(identity_from_octets(ID_DER_ASN1_DN, unhex_view(hex, buf), &id), 0);
	return id;
}

/* openssl writes UTF8String where strongSwan writes PrintableString (RFC 5280 §7.1). */
static void dns_are_equal_whatever_their_string_type(void **state)
{
	struct identity printable = parsed("C=FR, CN=vps");
	struct identity utf8 =
	    dn_of("301b 310b3009 0603550406 13024652 310c300a 0603550403 0c03767073");
	struct identity number =
	    dn_of("301b 310b3009 0603550406 13024652 310c300a 0603550403 0203767073");

	(void)state;
	assert_true(identity_eq(&printable, &utf8));
	assert_int_equal(identity_match(&utf8, &printable), 20);
	assert_false(identity_eq(&printable, &number));
	identity_clear(&printable);
	identity_clear(&utf8);
	identity_clear(&number);
}

/* C=FR + O=O in one RDN is another name than C=FR, O=O (RFC 5280 §7.1). */
static void an_rdn_of_two_attributes_is_not_two_rdns(void **state)
{
	struct identity two = parsed("C=FR, O=O");
	struct identity one = dn_of("3017 3115 3009 0603550406 13024652 3008 060355040a 13014f");
	char buf[IDENTITY_STRLEN];

	(void)state;
	assert_false(identity_eq(&two, &one));
	assert_string_equal(identity_format(&one, buf, sizeof(buf)), "C=FR + O=O");
	identity_clear(&two);
	identity_clear(&one);
}

/* A peer's "*" is a name, not a wildcard. */
static void a_wildcard_in_the_peers_identity_matches_nothing(void **state)
{
	(void)state;
	assert_int_equal(match("C=FR, CN=*", "C=FR, CN=vps"), 0);
	assert_int_equal(match("fqdn:*", "vpn.example"), 0);
	assert_int_equal(match("fqdn:*.example", "vpn.example"), 0);
}

static void malformed_dns_match_only_any(void **state)
{
	static const char *const rows[] = {
	    "00",
	    "3000 00",
	    "30 05 31",
	    "3080 0000",
	    "30 84 00000001 31",
	    "301b 310b3009 0603550406 13024652 310c300a 0603550403 13ff767073",
	    "300d 310b3008 0603550406 13024652",
	    "300d 310b3009 0603550406 13034652",
	    "300d 310b3009 0603550406 13024652 00", /* C=FR, and an octet too many */
	    "3002 3100",
	    "3004 3102 3000",
	};
	struct identity pattern = parsed("C=FR"), any = parsed("%any");
	char buf[IDENTITY_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity id = dn_of(rows[i]);

		assert_int_equal(identity_match(&id, &pattern), 0);
		assert_int_equal(identity_match(&id, &any), 1);
		assert_non_null(identity_format(&id, buf, sizeof(buf)));
		identity_clear(&id);
	}
	identity_clear(&pattern);
}

/* A zero octet does not end a name: "good.example\0.evil" is not "good.example". */
static void octets_after_a_zero_count(void **state)
{
	static const char evil[] = "vpn.example\0.evil";
	struct identity id = {0}, pattern = parsed("vpn.example");
	char buf[IDENTITY_STRLEN];

	(void)state;
	assert_int_equal(identity_from_octets(
			     ID_FQDN, (struct view){(const uint8_t *)evil, sizeof(evil) - 1}, &id),
			 0);
	assert_int_equal(identity_match(&id, &pattern), 0);
	assert_string_equal(identity_format(&id, buf, sizeof(buf)), "vpn.example?.evil");
	identity_clear(&id);
	identity_clear(&pattern);
}

/* RFC 7296 §3.5, RFC 7619 §2.2 */
static void octets_of_a_wrong_length_are_refused(void **state)
{
	static const uint8_t octets[IDENTITY_MAX + 1];
	struct identity id = {0};

	(void)state;
	assert_int_equal(identity_from_octets(ID_IPV4_ADDR, (struct view){octets, 5}, &id),
			 ERR_SYNTAX);
	assert_int_equal(identity_from_octets(ID_IPV6_ADDR, (struct view){octets, 4}, &id),
			 ERR_SYNTAX);
	assert_int_equal(identity_from_octets(ID_FQDN, (struct view){octets, 0}, &id), ERR_SYNTAX);
	assert_int_equal(identity_from_octets(ID_NULL, (struct view){octets, 1}, &id), ERR_SYNTAX);
	assert_int_equal(identity_from_octets(ID_ANY, (struct view){octets, 1}, &id),
			 ERR_UNSUPPORTED);
	assert_int_equal(
	    identity_from_octets(ID_KEY_ID, (struct view){octets, sizeof(octets)}, &id), ERR_LIMIT);
	assert_null(id.data);
	assert_int_equal(identity_from_octets(ID_NULL, (struct view){NULL, 0}, &id), 0);
}

static void printing_never_writes_past_the_buffer(void **state)
{
	static const char *const rows[] = {"C=FR, O=inetdoc.net, CN=vps", "keyid:#00010203040506",
					   "vpn.example", "192.0.2.1", "%any"};
	char buf[40];
	size_t i, cap;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity id = parsed(rows[i]);

		for (cap = 1; cap < 32; cap++) {
			memset(buf, '~', sizeof(buf));
			identity_format(&id, buf, cap);
			assert_true(strlen(buf) < cap);
			assert_int_equal(buf[cap], '~');
		}
		identity_clear(&id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_read_and_printed_as_strongswan_does),
	    cmocka_unit_test(texts_that_break_their_prefix_are_errors),
	    cmocka_unit_test(dn_der_is_that_of_strongswan),
	    cmocka_unit_test(long_values_have_long_der_lengths),
	    cmocka_unit_test(the_more_exact_pattern_matches_better),
	    cmocka_unit_test(dns_are_equal_whatever_their_string_type),
	    cmocka_unit_test(an_rdn_of_two_attributes_is_not_two_rdns),
	    cmocka_unit_test(a_wildcard_in_the_peers_identity_matches_nothing),
	    cmocka_unit_test(malformed_dns_match_only_any),
	    cmocka_unit_test(octets_after_a_zero_count),
	    cmocka_unit_test(octets_of_a_wrong_length_are_refused),
	    cmocka_unit_test(printing_never_writes_past_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
