/* sealed.c - seal and open SK payloads (RFC 7296 §3.14, RFC 5282 §3, §5.1).
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

static int make_iv(const struct cipher_info *info, uint64_t counter, random_fn random, void *ctx,
		   uint8_t *iv)
{
	struct writer w = wr_init(iv, info->iv_len);

	if (!info->aead)
		return random(ctx, iv, info->iv_len);
	wr_u64(&w, counter);
	return wr_ok(&w) ? 0 : ERR_SPACE;
}

int sealed_build(struct cipher *c, uint64_t *iv_counter, random_fn random, void *random_ctx,
		 const struct ike_header *hdr, const struct ike_builder *inner, uint8_t *out,
		 size_t cap, size_t *ret_len)
{
	const struct cipher_info *info = cipher_get_info(c);
	struct ike_builder b = ike_builder_message(out, cap, hdr);
	struct cipher_job job = {.aad = out};
	size_t pad;
	uint8_t *iv;

	ike_payload_begin(&b, PAYLOAD_SK);
	wr_patch8(&b.w, b.payload_at, ike_builder_first(inner));
	job.aad_len = b.w.len;
	iv = wr_room(&b.w, info->iv_len);
	job.iv = iv;
	job.data = b.w.base + b.w.len;
	wr_bytes(&b.w, inner->w.base + 1, inner->w.len - 1);
	pad = info->block - 1 - (inner->w.len - 1) % info->block;
	wr_zero(&b.w, pad);
	wr_u8(&b.w, (uint8_t)pad);
	job.data_len = (size_t)(b.w.base + b.w.len - job.data);
	job.icv = wr_room(&b.w, info->icv_len);
	ike_payload_end(&b);
	if (!wr_ok(&inner->w) || !ike_builder_finish(&b))
		return ERR_SPACE;
	if (make_iv(info, (*iv_counter)++, random, random_ctx, iv))
		return ERR_CRYPTO;
	cipher_seal(c, &job, 1);
	if (!job.ok)
		return ERR_CRYPTO;
	*ret_len = b.w.len;
	return 0;
}

int sealed_open(struct cipher *c, struct view datagram, const struct ike_payload *sk, uint8_t *buf,
		struct view *ret_chain)
{
	const struct cipher_info *info = cipher_get_info(c);
	size_t body_at = (size_t)(sk->body.p - datagram.p);
	struct cipher_job job = {.aad = buf, .aad_len = body_at};
	size_t pad;

	if (sk->body.len < info->iv_len + info->icv_len + 1)
		return ERR_SYNTAX;
	memcpy(buf, datagram.p, datagram.len);
	job.iv = buf + body_at;
	job.data = buf + body_at + info->iv_len;
	job.data_len = sk->body.len - info->iv_len - info->icv_len;
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
