// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool sign policy: what lockdown says about BPF programs at present.
 * bpftool sign check: what it would say about those of an object file.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_writer.h"
#include "main.h"
#include "sign_file.h"

#include "lockdown_tables.h"

#define SECURITYFS	"/sys/kernel/security/"

/* What no table names */
#define UNLISTED	(BPF_LOCKDOWN_CLASSES + 1U)
#define NAMED		BPF_LOCKDOWN_CLASSES
/* CONFIG_SECURITY_LOCKDOWN_BPF_CEILING, if nobody has changed it */
#define DEFAULT_CEILING	(BPF_LOCKDOWN_USER_READ | BPF_LOCKDOWN_FIELDS)

/* Something that a program does and lockdown cares about */
struct use {
	const char *kind;
	const char *name;
	__u32 classes;
	/* takes kernel-read, or less, by the format that is printed */
	bool format;
	/* only programs that are loaded from an image do it */
	bool image_only;
};

struct prog_uses {
	struct use *uses;
	size_t cnt;
};

/* What a program needs, signed or not */
struct needs {
	__u32 classes;
	/* if it reads its context */
	__u32 context;
	bool format;
};

enum choice {
	CHOICE_AUDIT,
	CHOICE_RESTRICTED,
	CHOICE_SIGNED,
	CHOICE_CNT,
};

static const char * const choice_words[] = { "audit", "restricted", "signed" };
static const char * const mode_words[] = {
	[BPF_LOCKDOWN_INTEGRITY] = "integrity",
	[BPF_LOCKDOWN_CONFIDENTIALITY] = "confidentiality",
};

struct verdict {
	/* loads, recorded or refused */
	const char *word;
	/* why it is refused, or what would make it so */
	char why[512];
};

/* The words in brackets of a file in securityfs, with commas between them */
static int chosen_words(const char *name, char *buf, size_t size)
{
	char path[64], line[256], *word, *save, *end;
	size_t len = 0;
	FILE *fp;
	int err;

	snprintf(path, sizeof(path), SECURITYFS "%s", name);
	fp = fopen(path, "re");
	if (!fp)
		return -errno;
	errno = 0;
	err = fgets(line, sizeof(line), fp) ? 0 : -(errno ?: EIO);
	fclose(fp);
	if (err)
		return err;

	*buf = '\0';
	for (word = strtok_r(line, "\n ", &save); word; word = strtok_r(NULL, "\n ", &save)) {
		end = strchr(word, ']');
		if (*word != '[' || !end)
			continue;
		*end = '\0';
		len += snprintf(buf + len, size - len, "%s%s", len ? "," : "", word + 1);
		if (len >= size)
			return -E2BIG;
	}
	return 0;
}

static void json_words(const char *name, char *words)
{
	char *word, *save;

	jsonw_name(json_wtr, name);
	jsonw_start_array(json_wtr);
	for (word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save))
		jsonw_string(json_wtr, word);
	jsonw_end_array(json_wtr);
}

int do_sign_policy(int argc, char **argv)
{
	char mode[64], choice[64], ceiling[256];
	const char *name = "bpf_lockdown";
	int err;

	if (argc)
		return BAD_ARG();

	err = chosen_words(name, choice, sizeof(choice));
	if (err == -ENOENT) {
		p_err("no /sys/kernel/security/bpf_lockdown: the kernel was built without CONFIG_SECURITY_LOCKDOWN_BPF, or securityfs is not mounted");
		return -1;
	}
	if (!err) {
		name = "bpf_lockdown_ceiling";
		err = chosen_words(name, ceiling, sizeof(ceiling));
	}
	if (!err) {
		name = "lockdown";
		err = chosen_words(name, mode, sizeof(mode));
	}
	if (err) {
		p_err("can't read " SECURITYFS "%s: %s", name, strerror(-err));
		return -1;
	}

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "lockdown", mode);
		jsonw_string_field(json_wtr, "unsigned", choice);
		json_words("ceiling", ceiling);
		jsonw_end_object(json_wtr);
	} else {
		printf("lockdown %s  unsigned %s  ceiling %s\n", mode, choice,
		       *ceiling ? ceiling : "none");
	}
	return 0;
}

/* Adds what cannot be withheld from whoever has these classes */
static __u32 closed(__u32 classes)
{
	if (classes & BPF_LOCKDOWN_LOADER)
		classes |= BPF_LOCKDOWN_KERNEL_READ | BPF_LOCKDOWN_USER_READ;
	if (classes & BPF_LOCKDOWN_KERNEL_READ)
		classes |= BPF_LOCKDOWN_KERNEL_ADDRESS | BPF_LOCKDOWN_FIELDS;
	return classes;
}

/* What to ask for, to get these classes */
static __u32 least(__u32 classes)
{
	__u32 bit;

	classes &= NAMED & ~BPF_LOCKDOWN_USER_WRITE;
	for (bit = 1; bit <= BPF_LOCKDOWN_CLASSES; bit <<= 1)
		if (classes & bit & closed(classes & ~bit))
			classes &= ~bit;
	return classes;
}

static int add_use(struct prog_uses *pu, const struct use *use)
{
	struct use *tmp;
	size_t i;

	if (!use->classes && !use->format)
		return 0;
	for (i = 0; i < pu->cnt; i++)
		if (pu->uses[i].classes == use->classes &&
		    strcmp(pu->uses[i].kind, use->kind) == 0 &&
		    strcmp(pu->uses[i].name, use->name) == 0)
			return 0;
	tmp = realloc(pu->uses, (pu->cnt + 1) * sizeof(*tmp));
	if (!tmp) {
		p_err("mem alloc failed");
		return -1;
	}
	pu->uses = tmp;
	tmp[pu->cnt++] = *use;
	return 0;
}

static bool is_jump(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code);

	return class == BPF_JMP || class == BPF_JMP32;
}

/* Is there a jump to the instruction? */
static bool is_target(const struct bpf_insn *insns, __u32 cnt, __u32 to)
{
	__u32 i;

	for (i = 0; i < cnt; i++) {
		__u8 op = BPF_OP(insns[i].code);
		__s64 off = insns[i].off;

		if (!is_jump(&insns[i]) || op == BPF_EXIT)
			continue;
		if (op == BPF_CALL) {
			if (insns[i].src_reg != BPF_PSEUDO_CALL)
				continue;
			off = insns[i].imm;
		} else if (insns[i].code == (BPF_JMP32 | BPF_JA)) {
			off = insns[i].imm;
		}
		if ((__s64)i + 1 + off == to)
			return true;
	}
	return false;
}

/* Is the register set to a constant with this bit, right before the instruction? */
static bool has_flag(const struct bpf_insn *insns, __u32 cnt, __u32 at, int reg, __s32 flag)
{
	for (; at && !is_target(insns, cnt, at); at--) {
		const struct bpf_insn *insn = &insns[at - 1];
		__u8 class = BPF_CLASS(insn->code);

		if (is_jump(insn))
			return false;
		if (insn->dst_reg != reg || class == BPF_ST || class == BPF_STX)
			continue;
		return (class == BPF_ALU64 || class == BPF_ALU) && BPF_OP(insn->code) == BPF_MOV &&
		       BPF_SRC(insn->code) == BPF_K && (insn->imm & flag);
	}
	return false;
}

static bool is_listed(__u32 prog_type)
{
	return prog_type < ARRAY_SIZE(lockdown_types) && lockdown_types[prog_type];
}

static void set_classes(struct use *use, const struct lockdown_call *call, __u32 prog_type,
			const struct bpf_insn *insns, __u32 cnt, __u32 at)
{
	int reg;

	switch (call->rule) {
	case LOCKDOWN_NEEDS:
		use->classes = call->classes;
		break;
	case LOCKDOWN_STACK:
		reg = insns[at].imm == BPF_FUNC_get_stackid ? BPF_REG_3 : BPF_REG_4;
		use->classes = has_flag(insns, cnt, at, reg, BPF_F_USER_STACK) ?
			       BPF_LOCKDOWN_USER_READ : BPF_LOCKDOWN_KERNEL_ADDRESS;
		break;
	case LOCKDOWN_FORMAT:
		use->format = true;
		break;
	case LOCKDOWN_PACKET:
		/* what decides about packets, or queues them, has its own */
		if (!is_listed(prog_type) && prog_type != BPF_PROG_TYPE_STRUCT_OPS)
			use->classes = BPF_LOCKDOWN_KERNEL_READ;
		break;
	case LOCKDOWN_UNLISTED:
	default:
		use->classes = UNLISTED;
		break;
	}
}

static const struct lockdown_call *find_kfunc(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lockdown_kfuncs); i++)
		if (strcmp(lockdown_kfuncs[i].name, name) == 0)
			return &lockdown_kfuncs[i];
	return NULL;
}

static int find_uses(struct prog_uses *pu, const struct image *img)
{
	static const struct lockdown_call unlisted = { "unknown helper", LOCKDOWN_UNLISTED, 0 };
	const struct lockdown_call *call;
	const struct bpf_image_ksym *k;
	const struct bpf_insn *insns;
	__u32 insn_cnt, cnt, i;

	insns = image_insns(img, &insn_cnt);
	for (i = 0; i < insn_cnt; i++) {
		struct use use = { .kind = "helper" };

		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++;
			continue;
		}
		if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].src_reg)
			continue;
		call = (__u32)insns[i].imm < ARRAY_SIZE(lockdown_helpers) ?
		       &lockdown_helpers[insns[i].imm] : &unlisted;
		use.name = call->name;
		set_classes(&use, call, img->hdr->prog_type, insns, insn_cnt, i);
		if (add_use(pu, &use))
			return -1;
	}

	k = image_ksyms(img, &cnt);
	for (i = 0; i < cnt; i++) {
		struct use use = { .name = image_str(img, k[i].name) };

		if (k[i].kind == BPF_IMAGE_KSYM_KFUNC) {
			use.kind = "kfunc";
			call = find_kfunc(use.name);
			set_classes(&use, call ?: &unlisted, img->hdr->prog_type, insns, insn_cnt,
				    k[i].insn);
		} else if (k[i].kind == BPF_IMAGE_KSYM_UNTYPED) {
			use.kind = "address of";
			use.classes = BPF_LOCKDOWN_KERNEL_ADDRESS;
			use.image_only = true;
		}
		if (add_use(pu, &use))
			return -1;
	}

	if (img->hdr->expected_attach_type == BPF_MODIFY_RETURN) {
		struct use use = {
			.kind = "attach type",
			.name = "modify_return",
			.classes = BPF_LOCKDOWN_CONTROL,
		};

		return add_use(pu, &use);
	}
	return 0;
}

static bool is_in(const char * const *names, size_t cnt, const char *name)
{
	size_t i;

	for (i = 0; i < cnt; i++)
		if (strcmp(names[i], name) == 0 ||
		    (strcmp(names[i], "syscalls/*") == 0 && strncmp(name, "syscalls/", 9) == 0))
			return true;
	return false;
}

/* As lockdown_bpf_ctx_class() of the kernel. Unsigned programs are held to no events. */
static __u32 context_class(const struct image *img, bool is_signed)
{
	const struct bpf_image_event *ev;
	bool files, user, listed;
	__u32 cnt, i;

	ev = image_events(img, &cnt);
	files = is_signed && cnt;
	user = files;
	listed = files;
	for (i = 0; i < cnt; i++) {
		const char *name = image_str(img, ev[i].name);

		files &= image_event_in_file(ev[i].kind);
		user &= is_in(lockdown_user_tracepoints,
			      ARRAY_SIZE(lockdown_user_tracepoints), name);
		listed &= is_in(lockdown_tracepoints, ARRAY_SIZE(lockdown_tracepoints), name);
	}

	switch (img->hdr->prog_type) {
	case BPF_PROG_TYPE_KPROBE:
		return files ? BPF_LOCKDOWN_USER_READ : BPF_LOCKDOWN_KERNEL_ADDRESS;
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		return BPF_LOCKDOWN_KERNEL_ADDRESS;
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return BPF_LOCKDOWN_KERNEL_READ;
	case BPF_PROG_TYPE_TRACEPOINT:
		return user ? BPF_LOCKDOWN_USER_READ :
		       listed ? BPF_LOCKDOWN_FIELDS : BPF_LOCKDOWN_KERNEL_READ;
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_STRUCT_OPS:
		/* at least: numbers that may be addresses take kernel-address */
		return BPF_LOCKDOWN_FIELDS;
	default:
		return 0;
	}
}

static void sum_up(struct needs *needs, const struct prog_uses *pu, const struct image *img,
		   bool is_signed)
{
	size_t i;

	memset(needs, 0, sizeof(*needs));
	for (i = 0; i < pu->cnt; i++) {
		if (pu->uses[i].image_only && !is_signed)
			continue;
		needs->classes |= pu->uses[i].classes;
		needs->format |= pu->uses[i].format;
	}
	needs->context = context_class(img, is_signed);
}

static void __printf(2, 3) because(struct verdict *v, const char *fmt, ...)
{
	size_t len = strlen(v->why);
	va_list args;

	if (len)
		len += snprintf(v->why + len, sizeof(v->why) - len, "; ");
	if (len >= sizeof(v->why))
		return;
	va_start(args, fmt);
	vsnprintf(v->why + len, sizeof(v->why) - len, fmt, args);
	va_end(args);
}

/* What is refused to everybody */
static void refuse_to_all(struct verdict *v, __u32 missing)
{
	if (missing & BPF_LOCKDOWN_USER_WRITE)
		because(v, "lockdown withholds user-write from everybody");
	if (missing & UNLISTED)
		because(v, "no table of the kernel lists what it calls");
}

/* What may still turn out, of a program that is not refused for its calls */
static void may_take(struct verdict *v, const struct needs *needs, __u32 granted)
{
	char words[128];

	if (needs->context & ~granted) {
		lockdown_words(needs->context & ~granted, words, sizeof(words));
		because(v, "unless it reads what takes %s from its context", words);
	}
	if (needs->format && !(granted & BPF_LOCKDOWN_KERNEL_READ))
		because(v, "unless a format takes more than is granted");
}

static void judge_unsigned(struct verdict *v, __u32 mode, enum choice choice, __u32 type,
			   const struct needs *needs)
{
	bool type_listed = is_listed(type);
	__u32 granted = 0, missing;
	char words[128];

	v->why[0] = '\0';
	v->word = "refused";
	if (choice == CHOICE_SIGNED) {
		because(v, "not signed");
		return;
	}
	if (choice == CHOICE_RESTRICTED && !type_listed)
		because(v, "programs of this type have to be signed");
	if (choice == CHOICE_AUDIT)
		granted = mode == BPF_LOCKDOWN_INTEGRITY ? ~BPF_LOCKDOWN_USER_WRITE :
			  BPF_LOCKDOWN_USER_READ | BPF_LOCKDOWN_CONTROL;
	missing = needs->classes & ~granted;
	if (missing & NAMED & ~BPF_LOCKDOWN_USER_WRITE) {
		lockdown_words(missing & NAMED & ~BPF_LOCKDOWN_USER_WRITE, words, sizeof(words));
		because(v, "unsigned programs do not get %s", words);
	}
	refuse_to_all(v, missing);
	if (v->why[0])
		return;
	v->word = "loads";
	if (choice == CHOICE_AUDIT && (!type_listed || needs->classes))
		v->word = "recorded";
	may_take(v, needs, granted);
}

/* What the annotation asks for in the mode; false if it forbids that */
static bool annotation(const struct image *img, __u32 mode, __u32 *asks)
{
	const struct bpf_image_lockdown *rec;
	__u32 cnt, i;

	*asks = mode == BPF_LOCKDOWN_INTEGRITY ? NAMED : 0;
	rec = image_lockdown(img, &cnt);
	for (i = 0; i < cnt; i++) {
		if (rec[i].mode != mode)
			continue;
		*asks = rec[i].classes;
		return !(rec[i].flags & BPF_IMAGE_LOCKDOWN_FORBID);
	}
	return true;
}

static void judge_signed(struct verdict *v, __u32 mode, const struct image *img,
			 const struct needs *needs)
{
	__u32 asks, granted, missing, ceiling = UINT32_MAX;
	char words[128];

	v->why[0] = '\0';
	v->word = "refused";
	if (!annotation(img, mode, &asks)) {
		because(v, "its annotation forbids this mode");
		return;
	}
	if (mode == BPF_LOCKDOWN_CONFIDENTIALITY) {
		ceiling = DEFAULT_CEILING;
		granted = closed(asks & ceiling);
	} else {
		granted = (asks & NAMED) == NAMED ? UINT32_MAX : closed(asks);
	}
	granted &= ~BPF_LOCKDOWN_USER_WRITE;
	missing = needs->classes & ~granted;
	refuse_to_all(v, missing);
	missing &= NAMED & ~BPF_LOCKDOWN_USER_WRITE;
	if (missing & ~closed(asks)) {
		lockdown_words(missing & ~closed(asks), words, sizeof(words));
		because(v, "its annotation does not ask for %s", words);
	}
	if (missing & ~ceiling) {
		lockdown_words(missing & ~ceiling, words, sizeof(words));
		because(v, "the default ceiling does not grant %s", words);
	} else if (missing & closed(asks)) {
		lockdown_words(least(asks) & ~ceiling, words, sizeof(words));
		because(v, "the default ceiling does not grant %s, for which it asks", words);
	}
	if (v->why[0])
		return;
	v->word = "loads";
	may_take(v, needs, granted);
}

static void show_verdict(const char *name, const struct verdict *v)
{
	bool refused = strcmp(v->word, "refused") == 0;

	if (json_output) {
		jsonw_name(json_wtr, name);
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "verdict", v->word);
		if (v->why[0])
			jsonw_string_field(json_wtr, refused ? "why" : "but", v->why);
		jsonw_end_object(json_wtr);
	} else {
		printf("\t\t%s: %s%s%s\n", name,
		       strcmp(v->word, "recorded") ? v->word : "loads, and is recorded",
		       !v->why[0] ? "" : refused ? ": " : ", ", v->why);
	}
}

static void show_classes(const char *name, __u32 classes)
{
	char words[160] = "";

	if (classes != UNLISTED && (classes || !json_output))
		lockdown_words(classes & NAMED, words, 128);
	if (classes & UNLISTED)
		strcat(words, classes == UNLISTED ? "unlisted" : ",unlisted");
	if (json_output)
		json_words(name, words);
	else
		printf("%s", words);
}

static void show_uses(const struct prog_uses *pu)
{
	const struct use *use;
	size_t i;

	if (json_output) {
		jsonw_name(json_wtr, "uses");
		jsonw_start_array(json_wtr);
	}
	for (i = 0; i < pu->cnt; i++) {
		use = &pu->uses[i];
		if (json_output) {
			jsonw_start_object(json_wtr);
			jsonw_string_field(json_wtr, "kind", use->kind);
			jsonw_string_field(json_wtr, "name", use->name);
			if (use->format)
				jsonw_bool_field(json_wtr, "by_format", true);
			else
				show_classes("classes", use->classes);
			jsonw_end_object(json_wtr);
			continue;
		}
		printf("\t%s %s: ", use->kind, use->name);
		if (use->format)
			printf("by its format");
		else
			show_classes(NULL, use->classes);
		printf("\n");
	}
	if (json_output)
		jsonw_end_array(json_wtr);
}

static void show_option(const char *name, __u32 mode, __u32 classes, const char *when)
{
	char words[128], option[160];
	__u32 above = classes & ~DEFAULT_CEILING;

	lockdown_words(classes, words, sizeof(words));
	snprintf(option, sizeof(option), "%s=%s", mode_words[mode], words);
	if (mode == BPF_LOCKDOWN_INTEGRITY)
		above = 0;
	lockdown_words(DEFAULT_CEILING | above, words, sizeof(words));
	if (json_output) {
		jsonw_name(json_wtr, name);
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "lockdown", option);
		if (above)
			jsonw_string_field(json_wtr, "ceiling", words);
		jsonw_end_object(json_wtr);
		return;
	}
	printf("\t\t%ssign with --lockdown %s", when, option);
	if (above)
		printf(" and boot with bpf_lockdown_ceiling=%s", words);
	printf("\n");
}

/* Which annotation the program would need, if not the one that it has */
static void suggest(const struct image *img, __u32 mode, const struct needs *needs)
{
	__u32 asks, granted, calls, all;

	/* no annotation helps what nobody may do */
	if (!annotation(img, mode, &asks) || needs->classes & (BPF_LOCKDOWN_USER_WRITE | UNLISTED))
		return;
	calls = needs->classes;
	all = calls | needs->context;
	granted = closed(mode == BPF_LOCKDOWN_CONFIDENTIALITY ? asks & DEFAULT_CEILING : asks);
	if (calls & ~granted)
		show_option("option", mode, least(asks | calls), "");
	if (all & ~granted && !(calls & ~granted && least(asks | all) == least(asks | calls)))
		show_option("option_with_context", mode, least(asks | all),
			    "if it reads its context, ");
}

static int check_prog(const char *path, const char *name, const void *data, __u32 size)
{
	struct needs unsig, sig;
	struct prog_uses pu = {};
	struct verdict v;
	struct image img;
	const char *why, *type;
	__u32 mode;
	int i, err;

	why = image_parse(&img, data, size);
	if (why) {
		prog_error(path, name, why);
		return -1;
	}
	err = find_uses(&pu, &img);
	if (err)
		goto out;
	sum_up(&unsig, &pu, &img, false);
	sum_up(&sig, &pu, &img, true);

	type = libbpf_bpf_prog_type_str(img.hdr->prog_type) ?: "unknown";
	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", name);
		jsonw_string_field(json_wtr, "type", type);
		show_classes("needs", sig.classes);
	} else {
		printf("%s: %s\n", name, type);
	}
	show_uses(&pu);
	if (sig.context && json_output) {
		show_classes("context", sig.context);
	} else if (sig.context) {
		printf("\tcontext, if it reads it: ");
		show_classes(NULL, sig.context);
		printf("%s\n", sig.context == BPF_LOCKDOWN_FIELDS &&
		       img.hdr->prog_type != BPF_PROG_TYPE_TRACEPOINT ?
		       ", and kernel-address for numbers that may be addresses" : "");
	}

	for (mode = BPF_LOCKDOWN_INTEGRITY; mode <= BPF_LOCKDOWN_CONFIDENTIALITY; mode++) {
		if (json_output) {
			jsonw_name(json_wtr, mode_words[mode]);
			jsonw_start_object(json_wtr);
			jsonw_name(json_wtr, "unsigned");
			jsonw_start_object(json_wtr);
		} else {
			printf("\t%s\n", mode_words[mode]);
		}
		for (i = CHOICE_AUDIT; i < CHOICE_CNT; i++) {
			char label[32];

			judge_unsigned(&v, mode, i, img.hdr->prog_type, &unsig);
			snprintf(label, sizeof(label), "%s%s", json_output ? "" : "unsigned, ",
				 choice_words[i]);
			show_verdict(label, &v);
		}
		if (json_output)
			jsonw_end_object(json_wtr);
		judge_signed(&v, mode, &img, &sig);
		show_verdict("signed", &v);
		suggest(&img, mode, &sig);
		if (json_output)
			jsonw_end_object(json_wtr);
	}
	if (json_output)
		jsonw_end_object(json_wtr);
out:
	free(pu.uses);
	return err;
}

static void begin_file(const char *path, bool is_signed, size_t cnt)
{
	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", path);
		jsonw_bool_field(json_wtr, "signed", is_signed);
		jsonw_name(json_wtr, "programs");
		jsonw_start_array(json_wtr);
	} else {
		printf("%s: %zu program%s, %s\n", path, cnt, cnt == 1 ? "" : "s",
		       is_signed ? "signed" : "not signed");
	}
}

static void end_file(void)
{
	if (!json_output)
		return;
	jsonw_end_array(json_wtr);
	jsonw_end_object(json_wtr);
}

/* What its images say, of a file that is signed; else what they would say */
static int check_one(const char *path, const struct policy *pol)
{
	LIBBPF_OPTS(bpf_gen_images_opts, opts);
	struct bpf_object *obj;
	struct signed_file f;
	int err, ret = 0;
	const void *data;
	__u32 size, i;

	err = read_signed_file(&f, path);
	if (err && err != -ENOENT) {
		file_error(path, f.why);
		return -1;
	}
	if (!err && !pol->cnt) {
		begin_file(path, true, f.comp.hdr->prog_cnt);
		for (i = 0; i < f.comp.hdr->prog_cnt; i++) {
			data = bpf_companion_image(&f.comp, i, &size);
			if (check_prog(path, bpf_companion_name(&f.comp, i), data, size))
				ret = -1;
		}
		end_file();
		free_signed_file(&f);
		return ret;
	}

	obj = gen_images(path, pol, &opts);
	if (obj) {
		begin_file(path, !err, opts.image_cnt);
		for (i = 0; i < opts.image_cnt; i++)
			if (check_prog(path, opts.images[i].name, opts.images[i].data,
				       opts.images[i].size))
				ret = -1;
		end_file();
		bpf_object__close(obj);
	}
	if (!err)
		free_signed_file(&f);
	return obj ? ret : -1;
}

static void show_note(void)
{
	puts("Loads through pointers, contexts and formats are decided by the verifier only.");
}

int do_sign_check(int argc, char **argv)
{
	struct policy pol = {};
	int err;

	if (!REQ_ARGS(1))
		return -1;
	err = read_policy(&pol);
	if (!err && json_output)
		jsonw_start_array(json_wtr);
	if (!err) {
		for (; argc; argc--, argv++)
			if (check_one(*argv, &pol))
				err = -1;
		if (json_output)
			jsonw_end_array(json_wtr);
		else
			show_note();
	}
	free_policy(&pol);
	return err;
}
