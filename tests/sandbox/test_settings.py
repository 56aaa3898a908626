import pytest

from sandbox.settings import read_settings


@pytest.mark.parametrize("port", ["65536", "9" * 5000, "-1", "x", "\u0661", ""])
def test_a_port_that_does_not_exist_is_refused(port: str) -> None:
    with pytest.raises(ValueError, match="SANDBOX_PORT must be a number"):
        read_settings({"SANDBOX_PORT": port})


@pytest.mark.parametrize("port", ["0", "8900", "65535"])
def test_a_port_that_exists_is_taken(port: str) -> None:
    assert read_settings({"SANDBOX_PORT": port}).port == int(port)
