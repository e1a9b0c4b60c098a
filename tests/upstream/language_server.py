"""An editor's side of the language server protocol, as far as yaml-language-server needs one."""

import json
import subprocess
from itertools import count
from queue import Queue
from threading import Thread

from tests.upstream.oracle import ROOT

ENVIRONMENT = ROOT / ".venv-upstream-editor"
#: Seconds that an answer may take on a busy machine.
PATIENCE = 120


class Editor:
    """A running server, and what it says.

    Args:
        server: the name of the npm package.
        folder: what the editor has open.
        schemas: files by schema, as VS Code's setting `yaml.schemas` has it.
    """

    def __init__(self, server, folder, schemas):
        program = ENVIRONMENT / "node_modules" / server / "bin" / "yaml-language-server"
        assert program.exists(), "no server: run tests/upstream/setup.sh"
        command = [ENVIRONMENT / "bin" / "node", program, "--stdio"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.settings = {"yaml": {"schemas": schemas, "yamlVersion": "1.1", "schemaStore": {"enable": False}}}
        self.folder, self.ids, self.said = folder, count(1), Queue()
        Thread(target=self._listen, daemon=True).start()
        able = {"workspace": {"configuration": True, "workspaceFolders": True}}
        open_folders = [{"uri": folder.as_uri(), "name": folder.name}]
        self._ask(
            "initialize",
            processId=None,
            rootUri=folder.as_uri(),
            workspaceFolders=open_folders,
            capabilities=able,
        )
        self._send("initialized", params={})

    def close(self):
        """Ends the server."""
        with self.process:
            self._ask("shutdown")
            self._send("exit")
        assert self.process.returncode == 0

    def open(self, name, text):
        """Opens a file; what the server marks in it, as lines (from 1), text and message."""
        document = {"uri": self._uri(name), "languageId": "yaml", "version": 1, "text": text}
        self._send("textDocument/didOpen", params={"textDocument": document})
        lines, found = text.splitlines(), self._marks(document["uri"])
        return sorted(
            (one["range"]["start"]["line"] + 1, _marked(lines, one["range"]), one["message"]) for one in found
        )

    def completions(self, name, line, column):
        """What the server proposes at a place (from 1): by label, what it tells of it."""
        found = self._ask("textDocument/completion", **self._place(name, line, column))["items"]
        return {one["label"]: one.get("documentation") for one in found}

    def hover(self, name, line, column):
        """What the server tells at a place (from 1), without the escapes of its Markdown."""
        return self._ask("textDocument/hover", **self._place(name, line, column))["contents"]["value"].replace(
            "\\", ""
        )

    def _uri(self, name):
        return (self.folder / name).as_uri()

    def _place(self, name, line, column):
        position = {"line": line - 1, "character": column - 1}
        return {"textDocument": {"uri": self._uri(name)}, "position": position}

    def _marks(self, uri):
        while True:
            said = self._next()
            if said.get("method") == "textDocument/publishDiagnostics" and said["params"]["uri"] == uri:
                return said["params"]["diagnostics"]

    def _ask(self, method, **params):
        number = next(self.ids)
        self._send(method, id=number, params=params or None)
        while True:
            said = self._next()
            if said.get("id") == number and "method" not in said:
                assert "error" not in said, said
                return said["result"]

    def _next(self):
        """The next message; what the server asks is answered."""
        said = self.said.get(timeout=PATIENCE)
        if "method" in said and "id" in said:
            wanted = said["method"] == "workspace/configuration"
            result = [self.settings.get(one["section"]) for one in said["params"]["items"]] if wanted else None
            self._send(id=said["id"], result=result)
        return said

    def _send(self, method=None, **rest):
        message = {"jsonrpc": "2.0", **({"method": method} if method else {}), **rest}
        body = json.dumps(
            {name: value for name, value in message.items() if name != "params" or value is not None}
        )
        self.process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        self.process.stdin.flush()

    def _listen(self):
        while head := self.process.stdout.readline():
            if head.lower().startswith(b"content-length:"):
                size = int(head.split(b":")[1])
                while self.process.stdout.readline().strip():
                    pass
                self.said.put(json.loads(self.process.stdout.read(size)))


def _marked(lines, where):
    start, end = where["start"], where["end"]
    return lines[start["line"]][start["character"] : end["character"] if end["line"] == start["line"] else None]
