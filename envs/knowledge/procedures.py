"""All procedures."""

from envs.knowledge import procedures_home, procedures_life
from envs.knowledge.procedure import Procedure

PROCEDURES: tuple[Procedure, ...] = (*procedures_home.PROCEDURES, *procedures_life.PROCEDURES)
