import re
import signal
import subprocess
import sys
import urllib.request


def test_the_command_prints_its_address_and_stops_on_interrupt():
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--token", "42:local"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        line = process.stdout.readline().decode()
        found = re.fullmatch(r"sandbox: (http://127\.0\.0\.1:\d+/) token=42:local\n", line)
        with urllib.request.urlopen(f"{found[1]}bot42:local/getMe") as response:
            assert b'"id": 42' in response.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
        assert b"no production server" in process.stderr.read()


def test_the_command_refuses_to_face_a_network():
    command = [sys.executable, "-m", "sandbox", "--host", "0.0.0.0"]

    finished = subprocess.run(command, capture_output=True, check=False)

    assert finished.returncode == 1
    assert b"no production server" in finished.stderr
