"""`fastgrok.store.storage`: its functions one by one."""

from fastgrok.store.storage import is_store


def test_example_of_is_store():
    value = (is_store("runs/xor"), is_store("s3://bucket/xor"), is_store("xor"), is_store(None))
    assert value == (True, True, False, False)
