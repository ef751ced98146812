import os
import signal
import sys
import time


def stop(*_):
    print("finished what it was doing")
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
print("working as", os.environ["PS"], "on port", os.environ["PORT"])
while True:
    time.sleep(1)
