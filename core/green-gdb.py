# Green threads in gdb: a list of them, and the calls on their stacks, of a process that runs and of one that left a core.
#
#   green threads            the green threads of all OS threads that have some
#   green bt ID              the calls of one, by its number
#   green apply all COMMAND  bt: the calls of all; any other command is run in the frame that each waits in
#   green save-core [FILE]   as generate-core-file, which alone cannot read past guard pages and leaves stacks out
#
# gdb loads this beside libgreen-core if its auto-load path allows it; or: (gdb) source green-gdb.py. It reads the library's
# types, so the library must have its debugging information (-g).
#
# The registers of a green thread that waits are in memory, not in an OS thread, and those of a core cannot be set. So they
# are put under the frame that gdb has selected: while one is looked at, an unwinder takes the place of the one for the
# innermost frame and says that it was called from where the green thread waits.
import os

import gdb
import gdb.unwinder


class Problem(gdb.GdbError):
    pass


def variable(name):
    try:
        return gdb.parse_and_eval(name)
    except gdb.error as error:
        raise Problem("no %s: has libgreen-core its debugging information? (%s)" % (name, error))


def type_of(name):
    try:
        return gdb.lookup_type(name)
    except gdb.error as error:
        raise Problem("no type %s: has libgreen-core its debugging information? (%s)" % (name, error))


def address(value):
    return int(value.cast(gdb.lookup_type("unsigned long")))


def text(value, other=""):
    if int(value) == 0:
        return other
    try:
        return value.string()
    except (gdb.error, UnicodeDecodeError):
        return "?"


STATES = ("new", "ready", "running", "waiting")


class Green:
    """A green thread."""

    def __init__(self, hub, thread):
        self.hub = hub
        self.thread = thread  # green_thread *
        self.ident = int(thread["ident"])
        self.is_main = address(thread) == address(hub["main"].address)
        self.is_current = address(hub["current"]) == address(thread)

    def name(self):
        extra = self.thread["extra"]
        name = text(extra["name"]) if int(extra) != 0 else ""
        return name or ("main" if self.is_main else "")

    def state(self):
        if self.thread["ended"]:
            return "ended"
        if self.is_current:
            return "running"
        state = STATES[int(self.thread["state"])]
        if state == "new" and int(self.thread["timer"]["id"]) != 0:
            return "delayed"
        if state == "waiting":
            if int(self.thread["op"]) != 0:
                return "operation"
            if int(self.thread["nwaits"]) == 0 and int(self.thread["wait_mt"]) == 0:
                return "sleeping"
        return state

    def has_stack(self):
        if not self.thread["started"] or self.is_current:
            return False
        return self.is_main and not self.hub["embedded"] or int(self.thread["stack"]) != 0

    def registers(self):
        """Stack pointer, frame pointer and address to go on at, by context method."""
        context = self.thread["ctx"]
        word = gdb.lookup_type("unsigned long")
        fields = [field.name for field in context.type.fields()]
        if "ip" in fields:
            return tuple(int(context[name].cast(word)) for name in ("sp", "fp", "ip"))
        room = context["room"]
        kind = room.type.target().strip_typedefs()
        if kind.code == gdb.TYPE_CODE_PTR:  # builtin
            return tuple(int(room[i].cast(word)) for i in (2, 0, 1))
        if kind.code == gdb.TYPE_CODE_STRUCT:  # ucontext
            return from_ucontext(room)
        return from_jmp_buf(address(room))


def from_ucontext(room):
    machine = room["uc_mcontext"]
    if "gregs" in [field.name for field in machine.type.fields()]:
        return tuple(int(machine["gregs"][i]) for i in (15, 10, 16))
    return int(machine["sp"]), int(machine["regs"][29]), int(machine["pc"])


# glibc hides words of a jmp_buf: turned by 17 bits, and mixed with one of the thread's control block.
def from_jmp_buf(room):
    words = gdb.Value(room).cast(gdb.lookup_type("unsigned long").pointer())
    saved = [int(words[i]) for i in (6, 1, 7)]
    if not 0 <= room - saved[0] < 4096:
        try:
            block = int(gdb.parse_and_eval("(unsigned long)$fs_base"))
            mixed = int(gdb.Value(block + 0x30).cast(words.type).dereference())
        except gdb.error as error:
            raise Problem("setjmp's buffer cannot be read: %s" % error)
        mask = (1 << 64) - 1
        saved = [((w >> 17 | w << 47) & mask) ^ mixed for w in saved]
    if not 0 <= room - saved[0] < 4096:
        raise Problem("setjmp's buffer cannot be read on this system")
    return tuple(saved)


def hubs():
    hub = variable("'hubs.c'::hubs")
    if hub.is_optimized_out:
        raise Problem("the list of hubs was optimised out: was libgreen-core built with -flto?")
    while int(hub) != 0:
        if hub["whole"]:
            yield hub
        hub = hub["hubs_next"]


def greens(hub):
    yield Green(hub, hub["main"].address)
    chunk = hub["thread_chunks"]
    thread = type_of("struct green_thread")
    stride = (thread.sizeof + 63) // 64 * 64
    while int(chunk) != 0:
        first = (address(chunk["room"].address) + 63) & ~63
        for i in range(64):
            one = gdb.Value(first + i * stride).cast(thread.pointer())
            if int(one["hub"]) != 0 and one["counted"]:
                yield Green(hub, one)
        chunk = chunk["next"]


def find(ident):
    for hub in hubs():
        for green in greens(hub):
            if green.ident == ident:
                return green
    raise Problem("there is no green thread %d" % ident)


class Parked(gdb.unwinder.Unwinder):
    """While a green thread is looked at, says that it called the innermost frame."""

    def __init__(self):
        super().__init__("green-net")
        self.places = None
        self.level = 0

    def __call__(self, pending):
        if self.places is None:
            return None
        names = NAMES.get(architecture_of(pending))
        # The first frame that is asked for is the innermost; those after it are real.
        if self.level > 0:
            return None
        self.level += 1
        pc = int(pending.read_register(names[2]))
        # Its place is below all stacks: gdb believes no frame that is below the one it called.
        info = pending.create_unwind_info(FrameId(1, pc))
        for name, value in zip(names, self.places):
            like = pending.read_register(name)
            info.add_saved_register(name, gdb.Value(value).cast(like.type))
        return info


class FrameId:
    def __init__(self, sp, pc):
        self.sp = gdb.Value(sp).cast(gdb.lookup_type("unsigned long"))
        self.pc = gdb.Value(pc).cast(gdb.lookup_type("unsigned long"))


NAMES = {"x86": ("rsp", "rbp", "rip"), "aarch64": ("sp", "x29", "pc")}


def architecture_of(frame):
    name = frame.architecture().name()
    return "aarch64" if name.startswith("aarch64") else "x86"


PARKED = Parked()
gdb.unwinder.register_unwinder(None, PARKED, replace=True)


class Look:
    """with Look(green): the selected frame is the one that it waits in."""

    def __init__(self, green):
        self.green = green

    def __enter__(self):
        PARKED.places = self.green.registers()
        PARKED.level = 0
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame().older()
        if frame is None:
            self.__exit__()
            raise Problem("its stack cannot be walked")
        frame.select()
        return frame

    def __exit__(self, *_):
        PARKED.places = None
        gdb.invalidate_cached_frames()
        gdb.newest_frame().select()


def os_thread_of(hub):
    """The OS thread that runs in a hub's stacks, for those that are running."""
    wanted = int(hub["os_thread"])
    for thread in gdb.selected_inferior().threads():
        if thread.is_valid() and handle_of(thread) == wanted:
            return thread
    return None


def handle_of(thread):
    try:
        return int.from_bytes(thread.handle(), "little")
    except (gdb.error, RuntimeError):
        return None


def header(green):
    where = text(green.thread["where"], "?")
    name = green.name()
    line = "green thread %d%s %s, spawned at %s" % (green.ident, " " + name if name else "", green.state(), where)
    if green.state() in ("waiting", "sleeping", "operation"):
        at = address(green.thread["wait_where"])
        line += ", waits at %s" % symbol(at)
    return line


def symbol(at):
    said = gdb.execute("info symbol 0x%x" % at, to_string=True).strip()
    name = said.split(" in section")[0]
    sal = gdb.find_pc_line(at - 1)
    place = " (%s:%d)" % (sal.symtab.filename, sal.line) if sal.symtab is not None else ""
    return "0x%x %s%s" % (at, "" if said.startswith("No symbol") else name, place)


def show_calls(green, command="bt"):
    print(header(green))
    if green.has_stack():
        with Look(green) as frame:
            if command == "bt":
                show_frames(frame)
            else:
                gdb.execute(command)
    elif green.is_current:
        thread = os_thread_of(green.hub)
        before = gdb.selected_thread()
        if thread is None:
            print("  (its OS thread is not known)")
            return
        thread.switch()
        gdb.execute(command)
        before.switch()
    else:
        print("  (it has not begun)")


def show_frames(frame):
    n = 0
    while frame is not None and frame.is_valid() and frame.pc() != 0 and n < 200:
        sal = frame.find_sal()
        place = ""
        if sal.symtab is not None:
            place = " at %s:%d" % (sal.symtab.filename, sal.line)
        else:
            lib = gdb.solib_name(frame.pc())
            place = " from %s" % lib if lib else ""
        print("#%-3d 0x%016x in %s (%s)%s" % (n, frame.pc(), frame.name() or "??", arguments(frame), place))
        frame = frame.older()
        n += 1


def arguments(frame):
    said = []
    try:
        function = frame.function()
        for sym in gdb.block_for_pc(frame.pc()) if function is None else function.symtab and frame.block():
            if sym.is_argument:
                said.append("%s=%s" % (sym.print_name, short(sym, frame)))
    except (RuntimeError, gdb.error, TypeError):
        pass
    return ", ".join(said)


def short(sym, frame):
    try:
        return sym.value(frame).format_string(max_elements=20)
    except (gdb.error, RuntimeError):
        return "?"


class GreenCommand(gdb.Command):
    """Green threads of green-net."""

    def __init__(self):
        super().__init__("green", gdb.COMMAND_STACK, prefix=True)


class GreenThreads(gdb.Command):
    """List the green threads of all OS threads that have some."""

    def __init__(self):
        super().__init__("green threads", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for hub in hubs():
            thread = os_thread_of(hub)
            print("hub %d, %s, OS thread %s" % (int(hub["ident"]), text(hub["ops"]["name"]),
                                                "?" if thread is None else thread.num))
            for green in greens(hub):
                print("  " + header(green))


class GreenBacktrace(gdb.Command):
    """Show the calls of a green thread: green bt ID."""

    def __init__(self):
        super().__init__("green bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not argument.strip().isdigit():
            raise Problem("green bt ID, where ID is a number that `green threads' shows")
        show_calls(find(int(argument)))


class GreenApply(gdb.Command):
    """Run a command in the frame of each green thread: green apply all bt."""

    def __init__(self):
        super().__init__("green apply", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split(None, 1)
        if len(words) != 2 or words[0] != "all":
            raise Problem("green apply all COMMAND")
        for hub in hubs():
            for green in greens(hub):
                show_calls(green, words[1])
                print()



INSTALL, REMOVE = 102, 103  # MADV_GUARD_INSTALL, MADV_GUARD_REMOVE


def guard_len(size):
    page = 4096
    return min((size // 16 + page - 1) // page * page, 65536)


def guards():
    """Where guards lie that are no mappings of their own, and how long they are."""
    if variable("'stack_map.c'::no_madvise"):
        return
    for hub in hubs():
        for green in greens(hub):
            stack = green.thread["stack"]
            if int(stack) != 0 and stack["sized"] and stack["guarded"]:
                size = int(stack["len4k"]) << 12
                yield address(stack["hi"]) - size, guard_len(size)
        slab = hub["stacks"]["slabs"]
        while int(slab) != 0:
            size = int(slab["len"]) // int(slab["count"])
            for i in range(int(slab["guarded"])):
                yield address(slab["base"]) + i * size, guard_len(size)
            slab = slab["next"]


# A system call's instruction, and the registers that its first three arguments and its result are in.
SYSTEM_CALLS = {
    "x86-64": (b"\x0f\x05", ("rdi", "rsi", "rdx"), "rax", ("rcx", "r11", "orig_rax")),
    "aarch64": (b"\x01\x00\x00\xd4", ("x0", "x1", "x2"), "x0", ("x8",)),
}


def advise(places, advice):
    """madvise() in the process. It is stepped through, since gdb 13 cannot call a function where the processor has AMX."""
    processor = gdb.newest_frame().architecture().name().replace("i386:", "")
    if processor not in SYSTEM_CALLS:
        for start, length in places:
            gdb.parse_and_eval("((int (*)(void *, unsigned long, int))madvise)((void *)%d, %d, %d)" % (start, length, advice))
        return
    instruction, arguments, result, clobbered = SYSTEM_CALLS[processor]
    gdb.newest_frame().select()
    kept = {name: int(gdb.parse_and_eval("(unsigned long)$" + name)) for name in set(arguments + (result,) + clobbered + ("pc",))}
    locking = gdb.parameter("scheduler-locking")
    gdb.execute("set scheduler-locking on", to_string=True)
    try:
        for start, length in places:
            values = dict(zip(arguments, (start, length, advice)), pc=address(variable("(void *)madvise")))
            if "orig_rax" in kept:
                values["orig_rax"] = -1  # what the process waits in is not begun anew here
            set_registers(values)
            step_over(instruction)
            if int(gdb.parse_and_eval("(long)$" + result)) < 0:
                raise Problem("madvise() of the process fails for 0x%x" % start)
    finally:
        set_registers(kept)
        gdb.execute("set scheduler-locking " + locking, to_string=True)


def set_registers(values):
    for name, value in values.items():
        gdb.execute("set var $%s = %d" % (name, value))


def step_over(instruction):
    """Step until the instruction has run, which is near. That each step says where it ends is kept from gdb's output."""
    gdb.flush()
    output, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        for _ in range(16):
            pc = address(gdb.parse_and_eval("$pc"))
            here = bytes(gdb.selected_inferior().read_memory(pc, len(instruction)))
            gdb.execute("stepi", to_string=True)
            if here == instruction:
                return
        raise Problem("cannot find the system call in madvise()")
    finally:
        gdb.flush()
        os.dup2(output, 1)
        os.close(output)
        os.close(nowhere)


class GreenSaveCore(gdb.Command):
    """As generate-core-file, with the guard pages of stacks out of the way meanwhile."""

    def __init__(self):
        super().__init__("green save-core", gdb.COMMAND_STACK, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        places = list(guards())
        advise(places, REMOVE)
        try:
            gdb.execute("generate-core-file " + argument)
        finally:
            advise(places, INSTALL)


# The signal that a stack is born by, and that stuck green threads are looked at with.
gdb.execute("handle SIG64 nostop noprint pass", to_string=True)
GreenCommand()
GreenThreads()
GreenBacktrace()
GreenApply()
GreenSaveCore()
