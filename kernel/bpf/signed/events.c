// SPDX-License-Identifier: GPL-2.0
/*
 * Holds a program that was loaded from an image to the events which that image
 * allows, wherever the program meets one. This file tells what the event is;
 * whether it is allowed, is decided in Rust.
 */
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/bpf_image.h>
#include <linux/bsearch.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/perf_event.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>

/**
 * bpf_image_keep_events - remember what a program may be attached to
 * @image: the image that it is loaded from, or NULL
 * @aux: the program
 *
 * Return: 0 or %-ENOMEM.
 */
int bpf_image_keep_events(const struct bpf_image *image, struct bpf_prog_aux *aux)
{
	return image ? bpf_image_events(image, &aux->events) : 0;
}

/* The program is being freed, or was never loaded. */
void bpf_image_free_events(struct bpf_prog_aux *aux)
{
	bpf_events_free(aux->events);
}

/* One record for all @cnt events of a link that were allowed */
static void record_event(const struct bpf_prog *prog, bool allowed, u32 cnt,
			 const struct bpf_event_facts *facts)
{
	struct audit_buffer *ab = bpf_image_record(prog->aux, "attach", allowed);

	if (!ab)
		return;
	audit_log_format(ab, " what=\"%s\" name=", bpf_event_word(facts->kind));
	audit_log_untrustedstring(ab, facts->name);
	if (facts->module) {
		audit_log_format(ab, " module=");
		audit_log_untrustedstring(ab, facts->module);
	}
	audit_log_format(ab, " offset=%#llx cnt=%u res=%d", facts->offset, cnt, allowed);
	audit_log_end(ab);
}

static int refuse_event(const struct bpf_prog *prog,
			const struct bpf_event_facts *facts)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	if (__ratelimit(&limit))
		bpf_events_tell(prog->aux->events, facts, prog->aux->name);
	record_event(prog, false, 1, facts);
	return -EPERM;
}

static int check_event(const struct bpf_prog *prog,
		       const struct bpf_event_facts *facts)
{
	return bpf_events_allow(prog->aux->events, facts) ? 0 : refuse_event(prog, facts);
}

static int check_one_event(const struct bpf_prog *prog,
			   const struct bpf_event_facts *facts)
{
	int err = check_event(prog, facts);

	if (!err)
		record_event(prog, true, 1, facts);
	return err;
}

/* Checks @facts as an entry, as an exit, or as both. */
static int check_entry_exit(const struct bpf_prog *prog, bool entry, bool exit,
			    u32 entry_kind, u32 exit_kind, struct bpf_event_facts *facts)
{
	int err = 0;

	if (entry) {
		facts->kind = entry_kind;
		err = check_event(prog, facts);
	}
	if (exit && !err) {
		facts->kind = exit_kind;
		err = check_event(prog, facts);
	}
	return err;
}

/* Is @name another name of the function that is met? */
bool bpf_event_is_function(const struct bpf_event_facts *facts, const char *name)
{
	return facts->addr && kallsyms_lookup_name(name) == facts->addr;
}

/* A file that an image names, where init finds it */
struct bpf_event_file {
	const char *name;
	struct path path;
};

/* In ascending order of the addresses of their names */
struct bpf_event_files {
	u32 cnt;
	u32 max;
	struct bpf_event_file file[] __counted_by(max);
};

static void find_file(void *arg, const char *name)
{
	struct bpf_event_files *files = arg;
	struct bpf_event_file *file;

	/* Each name comes from behind the one before it. */
	if (WARN_ON_ONCE(files->cnt == files->max ||
			 (files->cnt && files->file[files->cnt - 1].name >= name)))
		return;
	file = &files->file[files->cnt];
	if (!kern_path(name, LOOKUP_FOLLOW, &file->path)) {
		file->name = name;
		files->cnt++;
	}
}

/**
 * bpf_event_find_files - find the files that a program was signed for
 * @prog: program
 *
 * Namespaces and roots that the caller may have made for itself have no say in
 * it. Whoever serves the file systems does: not to be called with a lock that
 * others wait for.
 *
 * Return: the files, for bpf_event_put_files(); NULL if there are none; or
 * %-ENOMEM.
 */
struct bpf_event_files *bpf_event_find_files(const struct bpf_prog *prog)
{
	struct bpf_event_files *files;
	u32 max;

	if (!prog->aux->events)
		return NULL;
	max = bpf_events_for_each_file(prog->aux->events, NULL, NULL);
	if (!max)
		return NULL;
	files = kvzalloc_flex(*files, file, max);
	if (!files)
		return ERR_PTR(-ENOMEM);
	files->max = max;
	scoped_with_init_fs()
		bpf_events_for_each_file(prog->aux->events, find_file, files);
	return files;
}

/**
 * bpf_event_put_files - let go of what bpf_event_find_files() has found
 * @files: its result
 */
void bpf_event_put_files(struct bpf_event_files *files)
{
	u32 i;

	if (IS_ERR_OR_NULL(files))
		return;
	for (i = 0; i < files->cnt; i++)
		path_put(&files->file[i].path);
	kvfree(files);
}

static int cmp_file(const void *name, const void *elt)
{
	const struct bpf_event_file *file = elt;

	return cmp_int((uintptr_t)name, (uintptr_t)file->name);
}

/* Is the file that is met what init finds at @name, which is one of the image's? */
bool bpf_event_is_file(const struct bpf_event_facts *facts, const char *name)
{
	const struct bpf_event_files *files = facts->files;
	const struct bpf_event_file *file;

	if (!files)
		return false;
	file = bsearch(name, files->file, files->cnt, sizeof(*file), cmp_file);
	return file && d_real_inode(file->path.dentry) ==
		       d_real_inode(facts->path->dentry);
}

/* Describes the function at @addr; its name is kept in @buf. */
static void facts_of_address(struct bpf_event_facts *facts, unsigned long addr,
			     char *buf)
{
	unsigned long size, offset = 0;
	char *module = NULL;

	facts->name = kallsyms_lookup(addr, &size, &offset, &module, buf) ?: "?";
	facts->module = module;
	facts->offset = offset;
	facts->addr = addr - offset;
}

#ifdef CONFIG_KPROBES
/**
 * bpf_event_check_function - may a program be attached to a kprobe?
 * @prog: program
 * @is_return: it is a kretprobe
 * @symbol: function by which the probe was defined, behind the name of its
 *	module and a colon, maybe; NULL if it was by address
 * @addr: address of the probe, or zero as long as it has none
 * @offset: from @symbol; only as long as there is no address
 *
 * Return: 0, or %-EPERM.
 */
int bpf_event_check_function(const struct bpf_prog *prog, bool is_return,
			     const char *symbol, unsigned long addr,
			     unsigned long offset)
{
	struct bpf_event_facts facts = {
		.kind = is_return ? BPF_IMAGE_EVENT_KRETPROBE :
				    BPF_IMAGE_EVENT_KPROBE,
	};
	char buf[KSYM_NAME_LEN + MODULE_NAME_LEN];
	char *colon;

	if (!prog->aux->events)
		return 0;

	/* What a module is called is known as long as it cannot go. */
	guard(rcu)();
	if (addr) {
		/* An offset from @symbol may lead anywhere; but it may be an alias. */
		facts_of_address(&facts, addr, buf);
		if (symbol && kallsyms_lookup_name(symbol) == facts.addr)
			facts.name = strchr(symbol, ':') ? strchr(symbol, ':') + 1 : symbol;
		/* The first instruction of a function can be one that is not probed. */
		if (!kprobe_on_func_entry((kprobe_opcode_t *)addr, NULL, 0))
			facts.offset = 0;
		return check_one_event(prog, &facts);
	}

	/* The function is in a module that is not loaded. */
	strscpy(buf, symbol ?: "?");
	facts.name = buf;
	colon = strchr(buf, ':');
	if (colon) {
		*colon = '\0';
		facts.module = buf;
		facts.name = colon + 1;
	}
	facts.offset = offset;
	return offset ? refuse_event(prog, &facts) : check_one_event(prog, &facts);
}
#endif

/**
 * bpf_event_check_functions - may a program be attached to many functions?
 * @prog: program
 * @entry: it runs where they are entered
 * @exit: it runs where they return
 * @addrs: addresses that ftrace has for them
 * @cnt: number of functions
 *
 * Return: 0, or %-EPERM, or %-EINTR if the task is to die.
 */
int bpf_event_check_functions(const struct bpf_prog *prog, bool entry, bool exit,
			      const unsigned long *addrs, u32 cnt)
{
	struct bpf_event_facts facts = {};
	char buf[KSYM_NAME_LEN];
	int err = 0;
	u32 i;

	if (!prog->aux->events)
		return 0;

	for (i = 0; i < cnt && !err; i++) {
		/* What a module is called is known as long as it cannot go. */
		scoped_guard(rcu) {
			facts_of_address(&facts, addrs[i], buf);
			/* ftrace is at the entry, though not at the first instruction */
			facts.offset = 0;
			err = check_entry_exit(prog, entry, exit, BPF_IMAGE_EVENT_KPROBE,
					       BPF_IMAGE_EVENT_KRETPROBE, &facts);
		}
		if (fatal_signal_pending(current))
			err = err ?: -EINTR;
		cond_resched();
	}
	/* it may be gone by now */
	facts.module = NULL;
	if (cnt && !err)
		record_event(prog, true, cnt, &facts);
	return err;
}

/**
 * bpf_event_check_file - may a program be attached to uprobes in a file?
 * @prog: program
 * @files: what bpf_event_find_files() has found for it
 * @entry: it runs where a function is entered, or at another instruction
 * @exit: it runs where the function returns
 * @path: the file
 * @offset: of the first one into the file
 * @stride: from one offset to the next, in bytes
 * @cnt: number of offsets
 *
 * Return: 0, or %-EPERM, %-ENAMETOOLONG, %-ENOMEM, or %-EINTR if the task is to die.
 */
int bpf_event_check_file(const struct bpf_prog *prog,
			 const struct bpf_event_files *files, bool entry,
			 bool exit, const struct path *path,
			 const loff_t *offset, size_t stride, u32 cnt)
{
	struct bpf_event_facts facts = {
		.path = path,
		.files = files,
	};
	char *buf;
	int err = 0;
	u32 i;

	if (!prog->aux->events)
		return 0;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	scoped_with_init_fs()
		facts.name = d_path(path, buf, PATH_MAX);
	if (IS_ERR(facts.name)) {
		err = PTR_ERR(facts.name);
		goto out;
	}
	for (i = 0; i < cnt && !err; i++, offset = (void *)offset + stride) {
		facts.offset = *offset;
		err = check_entry_exit(prog, entry, exit, BPF_IMAGE_EVENT_UPROBE,
				       BPF_IMAGE_EVENT_URETPROBE, &facts);
		if (fatal_signal_pending(current))
			err = err ?: -EINTR;
		cond_resched();
	}
	if (cnt && !err)
		record_event(prog, true, cnt, &facts);
out:
	kfree(buf);
	return err;
}

/**
 * bpf_event_check_name - may a program be attached to a tracepoint?
 * @prog: program
 * @kind: enum bpf_image_event_kind
 * @name: as struct bpf_image_event has it
 *
 * Return: 0, or %-EPERM.
 */
int bpf_event_check_name(const struct bpf_prog *prog, u32 kind, const char *name)
{
	struct bpf_event_facts facts = {
		.kind = kind,
		.name = name,
	};

	return prog->aux->events ? check_one_event(prog, &facts) : 0;
}

#ifdef CONFIG_PERF_EVENTS
/**
 * bpf_event_check_perf - may a program be attached to a perf event?
 * @prog: program
 * @event: event that counts or samples, not one of tracing
 * @attr: what the event is, or is about to become
 *
 * Return: 0, or %-EPERM, %-ENOMEM.
 */
int bpf_event_check_perf(const struct bpf_prog *prog, const struct perf_event *event,
			 const struct perf_event_attr *attr)
{
	u64 config = attr->config;
	const char *type;
	char *name;
	int err;

	if (!prog->aux->events)
		return 0;

	/* The kernel may have handed the event on to another PMU. */
	switch (event->orig_type) {
	case PERF_TYPE_HARDWARE:
		type = "hardware";
		config &= PERF_HW_EVENT_MASK;
		break;
	case PERF_TYPE_SOFTWARE:
		type = "software";
		break;
	case PERF_TYPE_HW_CACHE:
		type = "hw-cache";
		config &= PERF_HW_EVENT_MASK;
		break;
	case PERF_TYPE_RAW:
		type = "raw";
		break;
	case PERF_TYPE_BREAKPOINT:
		type = "breakpoint";
		config = attr->bp_addr;
		break;
	default:
		type = event->pmu->name;
	}
	name = kasprintf(GFP_KERNEL, "%s:%#llx", type, config);
	if (!name)
		return -ENOMEM;
	err = bpf_event_check_name(prog, BPF_IMAGE_EVENT_PERF, name);
	kfree(name);
	return err;
}
#endif
