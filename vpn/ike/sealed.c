/* sealed.c - seal and open SK payloads (RFC 7296 §3.14, RFC 5282 §3, §5.1), and SKF payloads,
 * whose header has fragment number and total behind it (RFC 7383 §2.5).
 *
 *     IKE header | SK header | IV | payloads, padding, pad length | ICV
 *     `------- aad --------'        `----------- data ----------'
 *
 * For an AEAD the aad is authenticated as such; for CBC + HMAC the MAC runs over all octets in
 * front of the ICV, which is what struct cipher does with aad, iv and data. Padding is of the
 * shortest legal length; on receipt any length and content is accepted (RFC 7296 §3.14). */
#include "vpn/ike/sealed.h"

#include <string.h>

#include "vpn/base/err.h"
#include "vpn/wire/payload.h"

static int make_iv(const struct cipher_info *info, uint64_t counter, random_fn random, void *ctx,
		   uint8_t *iv)
{
	struct writer w = wr_init(iv, info->iv_len);

	if (!info->aead)
		return random(ctx, iv, info->iv_len);
	wr_u64(&w, counter);
	return wr_ok(&w) ? 0 : ERR_SPACE;
}

/* Everything in front of the IV. */
static struct ike_builder begin(uint8_t *out, size_t cap, const struct ike_header *hdr,
				const struct sealed_part *part)
{
	struct ike_builder b = ike_builder_message(out, cap, hdr);

	ike_payload_begin(&b, part->total ? PAYLOAD_SKF : PAYLOAD_SK);
	wr_patch8(&b.w, b.payload_at, part->first);
	if (part->total) {
		wr_u16(&b.w, part->number);
		wr_u16(&b.w, part->total);
	}
	return b;
}

int sealed_build(struct cipher *c, uint64_t *iv_counter, random_fn random, void *random_ctx,
		 const struct ike_header *hdr, const struct sealed_part *part, uint8_t *out,
		 size_t cap, size_t *ret_len)
{
	const struct cipher_info *info = cipher_get_info(c);
	struct ike_builder b = begin(out, cap, hdr, part);
	struct cipher_job job = {.aad = out, .aad_len = b.w.len};
	size_t pad = info->block - 1 - part->chain.len % info->block;
	uint8_t *iv = wr_room(&b.w, info->iv_len);

	job.iv = iv;
	job.data = b.w.base + b.w.len;
	wr_bytes(&b.w, part->chain.p, part->chain.len);
	wr_zero(&b.w, pad);
	wr_u8(&b.w, (uint8_t)pad);
	job.data_len = (size_t)(b.w.base + b.w.len - job.data);
	job.icv = wr_room(&b.w, info->icv_len);
	ike_payload_end(&b);
	if (!ike_builder_finish(&b))
		return ERR_SPACE;
	if (make_iv(info, (*iv_counter)++, random, random_ctx, iv))
		return ERR_CRYPTO;
	cipher_seal(c, &job, 1);
	if (!job.ok)
		return ERR_CRYPTO;
	*ret_len = b.w.len;
	return 0;
}

static size_t overhead(const struct cipher_info *info, bool fragment)
{
	return IKE_HEADER_LEN + IKE_PAYLOAD_HEADER_LEN + (fragment ? SKF_HEADER_LEN : 0) +
	       info->iv_len + info->icv_len;
}

size_t sealed_len(const struct cipher_info *info, bool fragment, size_t chain)
{
	return overhead(info, fragment) + (chain / info->block + 1) * info->block;
}

size_t sealed_capacity(const struct cipher_info *info, bool fragment, size_t message)
{
	size_t head = overhead(info, fragment);
	size_t blocks = message > head ? (message - head) / info->block : 0;

	return blocks ? blocks * info->block - 1 : 0;
}

int sealed_open(struct cipher *c, struct view datagram, struct view sealed, uint8_t *buf,
		struct view *ret_chain)
{
	const struct cipher_info *info = cipher_get_info(c);
	size_t body_at = (size_t)(sealed.p - datagram.p);
	struct cipher_job job = {.aad = buf, .aad_len = body_at};
	size_t pad;

	if (sealed.len < info->iv_len + info->icv_len + 1)
		return ERR_SYNTAX;
	memcpy(buf, datagram.p, datagram.len);
	job.iv = buf + body_at;
	job.data = buf + body_at + info->iv_len;
	job.data_len = sealed.len - info->iv_len - info->icv_len;
	job.icv = job.data + job.data_len;
	if (job.data_len % info->block)
		return ERR_SYNTAX;
	cipher_open(c, &job, 1);
	if (!job.ok)
		return ERR_AUTH;
	pad = job.data[job.data_len - 1];
	if (pad + 1 > job.data_len)
		return ERR_SYNTAX;
	*ret_chain = (struct view){job.data, job.data_len - 1 - pad};
	return 0;
}
