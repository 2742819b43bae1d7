"""Imports of the commands, done once for all their processes: see tests/commands.py."""

import bot.app
import bot.doctor
import bot.privacy  # noqa: F401
import trainer.report
import trainer.retrain
import trainer.seed
import trainer.suspects  # noqa: F401
