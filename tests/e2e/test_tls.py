"""TLS on the server's own listener, and what SIGHUP reads again."""

import os
import signal
import ssl
import subprocess
import unittest
import urllib.error
import urllib.request

from support import Client, Millrace, millrace_binary, temp_dir, wait_until


def make_certificate(folder):
    """A key and a certificate of its own for 127.0.0.1 and localhost."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return key, certificate


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.folder = temp_dir("tls")
        self.key, self.certificate = make_certificate(self.folder)

    def test_the_listener_speaks_tls_and_nothing_else(self):
        server = Millrace(options=["--tls-cert", self.certificate, "--tls-key", self.key], start=False)
        self.addCleanup(server.close)
        server.start(ready=False)
        trusting = ssl.create_default_context(cafile=str(self.certificate))

        def ask(path, context=trusting, token=None):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            request = urllib.request.Request(f"https://127.0.0.1:{server.port}{path}", headers=headers)
            return urllib.request.urlopen(request, timeout=10, context=context)

        def ready():
            self.assertIsNone(server.process.poll(), server.log())
            try:
                return ask("/readyz").status == 200
            except OSError:
                return False
        wait_until(ready, "the server over TLS")
        self.assertEqual(ask("/v1/sources", token=server.token).status, 200)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            ask("/v1/sources")
        self.assertEqual(refused.exception.code, 401)
        with self.assertRaises(urllib.error.URLError):
            ask("/readyz", context=ssl.create_default_context())  # an authority that nobody knows
        with self.assertRaises(OSError):
            Client("127.0.0.1", server.port, timeout=10).request("GET", "/readyz")
        # The command line finds URL and token in the data directory, and is told whom to trust.
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "MILLRACE_DATA_DIR": str(server.data_dir)}
        done = subprocess.run([millrace_binary(), "get", "sources"], env=env | {"MILLRACE_CA_FILE": str(self.certificate)},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = subprocess.run([millrace_binary(), "get", "sources"], env=env, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("http.tls_failed", done.stderr)

    def test_a_certificate_that_cannot_be_used_is_told(self):
        self.key.write_text("no key\n")
        server = Millrace(options=["--tls-cert", self.certificate, "--tls-key", self.key], start=False)
        self.addCleanup(server.close)
        server.start(ready=False)
        self.assertEqual(server.process.wait(30), 1)
        self.assertIn("server.tls_unusable", server.log())


class ReloadTest(unittest.TestCase):
    def test_sighup_reads_the_configuration_and_the_token_again(self):
        folder = temp_dir("config")
        file = folder / "server.yaml"
        file.write_text("logLevel: info\n")
        with Millrace(options=["--config", file]) as server:
            client = Client("127.0.0.1", server.port, server.token)
            foreign = {"Host": "millrace.example"}
            self.assertEqual(client.request("GET", "/v1/sources", headers=foreign).status, 403)

            def reload(text):
                before = server.log().count("configuration was")
                file.write_text(text)
                server.process.send_signal(signal.SIGHUP)
                wait_until(lambda: server.log().count("configuration was") > before, "the server to read it")

            reload("allowHosts: [millrace.example]\n")
            self.assertEqual(client.request("GET", "/v1/sources", headers=foreign).status, 200)
            reload("no-such-setting: 1\n")
            self.assertIn("the former one holds", server.log())
            self.assertEqual(client.request("GET", "/v1/sources", headers=foreign).status, 200)
            (server.data_dir / "token").write_text("another-token-0123456789abcdef\n")
            reload("allowHosts: [millrace.example]\n")
            self.assertEqual(client.request("GET", "/v1/sources").status, 401, "the former token is gone")
            self.assertEqual(server.http.request("GET", "/v1/sources").status, 200)
            self.assertEqual(server.stop(20), 0)


if __name__ == "__main__":
    unittest.main()
