"""Random sequences of queries against models: `python -m tests.soak.machine [EXAMPLES] [STEPS]`."""

import sys

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.cogs.test_escalation_machine import AlarmsMachine
from tests.webhook.queries.properties.test_put_machine import PutMachine
from tests.webhook.queries.test_machine import PropertiesMachine

EXAMPLES = 100
STEPS = 50

MACHINES: tuple[type[RuleBasedStateMachine], ...] = (PropertiesMachine, PutMachine, AlarmsMachine)


def main(examples: int = EXAMPLES, steps: int = STEPS) -> None:
    """Run each machine; the first difference from its model is raised, made as short as it gets."""
    thorough = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    for machine in MACHINES:
        print(f"{machine.__name__}: {examples} sequences of up to {steps} steps")
        run_state_machine_as_test(machine, settings=thorough)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
