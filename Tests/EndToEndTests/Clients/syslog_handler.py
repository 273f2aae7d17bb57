"""Logs known messages with Python's own `logging.handlers.SysLogHandler`.

Usage: syslog_handler.py HOST UDP_PORT TCP_PORT
The messages are those that LogClientTests.swift expects.
"""
import logging
import logging.handlers
import socket
import sys

host, udp, tcp = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
for name, port, kind in (("udp", udp, socket.SOCK_DGRAM), ("tcp", tcp, socket.SOCK_STREAM)):
    handler = logging.handlers.SysLogHandler(
        address=(host, port), facility="local0", socktype=kind
    )
    handler.ident = f"app-{name}[42]: "
    logger.addHandler(handler)
    logger.info("hello")
    logger.error("bad ünïcode\nand a second line" if name == "udp" else "bad ünïcode")
    logger.removeHandler(handler)
    handler.close()
