"""Flower's options, read by `celery -A workers.app flower --conf=config/flower.py`: look, do not touch."""

import os

from config.settings import load

_settings = load(os.environ, accounts_needed=False)

address, port = _settings.flower_address
basic_auth = [_settings.flower_auth.get_secret_value()] if _settings.flower_auth else []
# Through its write API anyone could send tasks or stop workers.
read_only = True
# kwargs and results hold ids and counts, and are what one looks for; the default hides them.
tasks_columns = "name,state,kwargs,result,received,started,runtime,retries,worker,uuid"
# About 4 KB each. Flower shows the present; history is the ledger's.
max_tasks = 20_000
persistent = False
