"""Idempotency keys, each kind in a space of its own."""


def of_header(value: str) -> str:
    """The key of an `Idempotency-Key` header."""
    return f"http:{value}"


def of_client_ref(client_ref: str) -> str:
    """The key of a caller's own reference, by whichever door it came."""
    return f"ref:{client_ref}"


def of_task(task_id: str) -> str:
    """The key of a task message that carries no reference."""
    return f"task:{task_id}"
