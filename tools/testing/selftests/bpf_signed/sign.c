// SPDX-License-Identifier: GPL-2.0
/* Signs as bpftool and scripts/sign-file do, at run time. */
#include <time.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include "lib.h"

struct signer {
	EVP_PKEY *key;
	X509 *cert;
};

static const char *openssl_error(void)
{
	return ERR_error_string(ERR_get_error(), NULL);
}

struct signer *signer_open(const char *key, const char *cert)
{
	struct signer *s = calloc(1, sizeof(*s));
	BIO *bio;

	bio = BIO_new_file(key, "r");
	check(bio, "%s: %s", key, openssl_error());
	s->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	check(s->key, "%s: %s", key, openssl_error());
	BIO_free(bio);

	bio = BIO_new_file(cert, "r");
	check(bio, "%s: %s", cert, openssl_error());
	s->cert = d2i_X509_bio(bio, NULL);
	if (!s->cert) {
		ERR_clear_error();
		(void)BIO_reset(bio);
		s->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	}
	check(s->cert, "%s: %s", cert, openssl_error());
	BIO_free(bio);
	return s;
}

struct signer *kernel_signer(void)
{
	static struct signer *s;
	const char *key = getenv("SIGNING_KEY"), *cert = getenv("SIGNING_CERT");

	if (!s) {
		check(key && cert, "SIGNING_KEY and SIGNING_CERT have to be set");
		s = signer_open(key, cert);
	}
	return s;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	check(ext && X509_add_ext(cert, ext, -1), "extension: %s", openssl_error());
	X509_EXTENSION_free(ext);
}

struct signer *signer_new(const char *cn, struct signer *ca)
{
	struct signer *s = calloc(1, sizeof(*s));
	X509_NAME *name;

	s->key = EVP_EC_gen("P-256");
	s->cert = X509_new();
	check(s->key && s->cert, "key: %s", openssl_error());
	X509_set_version(s->cert, 2);
	ASN1_INTEGER_set_int64(X509_get_serialNumber(s->cert), (long)time(NULL) << 16 | getpid());
	X509_gmtime_adj(X509_getm_notBefore(s->cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(s->cert), 86400L * 3650);
	name = X509_get_subject_name(s->cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const void *)cn, -1, -1, 0);
	X509_set_issuer_name(s->cert, ca ? X509_get_subject_name(ca->cert) : name);
	X509_set_pubkey(s->cert, s->key);
	add_extension(s->cert, s->cert, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(s->cert, s->cert, NID_key_usage, "digitalSignature");
	add_extension(s->cert, s->cert, NID_subject_key_identifier, "hash");
	add_extension(s->cert, ca ? ca->cert : s->cert, NID_authority_key_identifier, "keyid");
	check(X509_sign(s->cert, ca ? ca->key : s->key, EVP_sha256()),
	      "certificate: %s", openssl_error());
	return s;
}

void *signer_cert(struct signer *s, size_t *len)
{
	unsigned char *der = NULL;
	int n = i2d_X509(s->cert, &der);

	check(n > 0, "certificate: %s", openssl_error());
	*len = n;
	return der;
}

void signer_tbs_hash(struct signer *s, unsigned char hash[32])
{
	unsigned char *der = NULL;
	int n = i2d_re_X509_tbs(s->cert, &der);

	check(n > 0, "certificate: %s", openssl_error());
	SHA256(der, n, hash);
}

static void *sign(struct signer *s, const void *data, size_t len, __u32 *sig_len,
		  unsigned int certs, unsigned int id)
{
	unsigned int flags = certs | CMS_PARTIAL | CMS_BINARY | CMS_DETACHED | CMS_STREAM;
	CMS_ContentInfo *cms;
	unsigned char *der = NULL;
	BIO *bio;
	int n;

	bio = BIO_new_mem_buf(data, len);
	cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	check(bio && cms, "CMS: %s", openssl_error());
	check(CMS_add1_signer(cms, s->cert, s->key, EVP_sha256(),
			      certs | id | CMS_BINARY | CMS_NOSMIMECAP |
			      CMS_NOATTR), "CMS: %s", openssl_error());
	check(CMS_final(cms, bio, NULL, certs | CMS_BINARY), "CMS: %s", openssl_error());
	n = i2d_CMS_ContentInfo(cms, &der);
	check(n > 0, "CMS: %s", openssl_error());
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	*sig_len = n;
	return der;
}

void *sign_bytes(struct signer *s, const void *data, size_t len, __u32 *sig_len)
{
	return sign(s, data, len, sig_len, CMS_NOCERTS, CMS_USE_KEYID);
}

void *sign_with_cert(struct signer *s, const void *data, size_t len, __u32 *sig_len)
{
	/* by issuer and serial number, as the kernel finds certificates in a message */
	return sign(s, data, len, sig_len, 0, 0);
}
