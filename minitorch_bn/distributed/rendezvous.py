"""How ranks without MPI learn the identifier of their NCCL group: rank 0 tells everybody who asks, over TCP."""

import socket
import time

PATIENCE = 300  # seconds that ranks wait for one another


def share(message, rank, size, address):
    """Rank 0's `message` (bytes or a sequence of small integers), on every rank.

    Raises
    ------
    TimeoutError
        If a rank does not appear in time.
    """
    if rank == 0:
        data = bytes(b % 256 for b in message)
        with socket.create_server(address) as server:
            server.settimeout(PATIENCE)
            for _ in range(size - 1):
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    raise TimeoutError(f"only some of {size} ranks came to {address} within {PATIENCE} s") from None
                with connection:
                    connection.sendall(data)
        return message
    began = time.monotonic()
    while True:
        try:
            with socket.create_connection(address, timeout=PATIENCE) as connection:
                parts = []
                while part := connection.recv(4096):
                    parts.append(part)
                return b"".join(parts)
        except ConnectionRefusedError:  # rank 0 is not there yet
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"rank {rank}: nobody answers at {address} for {PATIENCE} s") from None
            time.sleep(0.1)
