"""An HTTP/1.1 server: ``h11`` reads the requests, a script decides how the responses are framed and cut."""

from __future__ import annotations

from typing import Any

import h11

from .content import Ledger, asked, content_of
from .peers import ScriptedPeer
from .script import Act, Script


class H1Peer(ScriptedPeer):
    """One connection; one request at a time."""

    def __init__(self, script: Script, ledger: Ledger) -> None:
        super().__init__(script, ledger)
        self.parser = h11.Connection(h11.SERVER)
        self.name = ""
        self.size = 0
        self.upload = 0
        self.act: Act = "answer"
        self.content = bytearray()
        self.rest = b""
        self.stops_at = -1
        self.served = 0
        self.busy = False

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        self.parser.receive_data(data)
        self._read()

    def eof_received(self) -> bool:
        return False

    def _read(self) -> None:
        while not self.closing:
            event = self.parser.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED):
                return
            if isinstance(event, h11.Request):
                self._begin(event.target.decode())
            elif isinstance(event, h11.Data):
                self.content += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._carry_out()

    def _begin(self, path: str) -> None:
        self.name, self.size, self.upload = asked(path)
        self.act = self.script.act()
        self.content = bytearray()
        self.busy = True
        self.ledger.log.append(f"{self.act} {self.name}")
        if self.act == "refuse":
            self.close()  # with what it sent unread, or before it came

    def _carry_out(self) -> None:
        self.ledger.carry_out(self.name, bytes(self.content), self.upload)
        if self.act == "reset":
            self.drop()
        elif self.act != "stall":
            self.later(self.script.delay_s(), self._answer)

    def _answer(self) -> None:
        chance = self.script.chance
        status = 503 if self.act == "unavailable" else 200
        self.rest = b"" if status == 503 else content_of(self.name, self.size)
        if self.act in ("part", "cut"):
            self.stops_at = len(self.rest) // 2
        if chance.random() < 0.1:
            self._say(h11.InformationalResponse(status_code=103, headers=[("link", "</style.css>; rel=preload")]))
        fields = [("x-name", self.name), ("server", "scripted")]
        if chance.random() < 0.5 or self.stops_at >= 0:
            fields.append(("content-length", str(len(self.rest))))
        else:
            fields.append(("transfer-encoding", "chunked"))
        if self.act in ("leave", "leave_gently"):
            fields.append(("connection", "close"))
        self._say(h11.Response(status_code=status, headers=fields))
        self._send()

    def _send(self) -> None:
        if self.stops_at >= 0 and len(self.rest) <= self.stops_at:
            if self.act == "cut":
                self.drop()
            else:
                self.close()
            return
        if self.rest:
            piece = self.rest[: self.script.frame_octets()]
            self.rest = self.rest[len(piece) :]
            self._say(h11.Data(data=piece))
            self.later(self.script.delay_s() if self.script.chance.random() < 0.2 else 0.0, self._send)
            return
        self._say(h11.EndOfMessage())
        self._end()

    def _end(self) -> None:
        self.busy = False
        self.served += 1
        if self.parser.our_state is h11.MUST_CLOSE:
            self.close()
            return
        self.parser.start_next_cycle()
        self.later(self.script.temper.idle_s, self._close_if_idle, self.served)
        self._read()

    def _close_if_idle(self, served: int) -> None:
        if not self.busy and self.served == served:
            self.close()

    def _say(self, event: Any) -> None:
        octets = self.parser.send(event)
        if octets:
            self.say(octets)
