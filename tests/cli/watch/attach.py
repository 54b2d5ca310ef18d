"""flow watch on a terminal: the block shows what runs, Ctrl-C leaves, and the cursor is there again."""
import fcntl, os, pty, re, struct, termios

# The shell stays: what is still on its way when the first process of a terminal ends may get lost.
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
    os.execlp("sh", "sh", "-c", 'trap : INT; flow watch --color=never; echo "status $?"; read end')
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
seen = b""


def until(pattern):
    global seen
    while not re.search(pattern, seen, re.S):
        seen += os.read(terminal, 4096)


until(rb"loss 0.25.*leaves")
os.write(terminal, b"\x03")
until(rb"status \d+")
os.write(terminal, b"\n")
os.waitpid(pid, 0)
text = seen.decode()
print(re.findall(r"● train .*", text)[-1].rstrip())
print(re.findall(r"\[\d/\d\] .*", text)[-1].split("   elapsed")[0])
print("cursor", "shown" if text.rindex("\033[?25h") > text.rindex("\033[?25l") else "hidden")
print(re.search(r"status \d+", text).group())
