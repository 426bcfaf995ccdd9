"""What a squashed migration does: many migrations' tables made at once, each in its last form.

One after the other, migrations cost a new database three times as much: with each operation Django makes the classes
of all related models anew.
"""

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import CreateModel
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.migrations.state import ProjectState


def squash(app_label: str, names: Iterable[str]) -> list[Operation]:
    """The operations of those migrations: new tables in their last form, then what becomes of tables of before.

    What they run (RunPython, RunSQL) is left out: a squashed migration runs of it what an empty table needs.
    """
    operations = list(_operations(app_label, names))
    new = {operation.name_lower for operation in operations if isinstance(operation, CreateModel)}
    of_new = [operation for operation in operations if _model_of(operation) in new]
    others = [operation for operation in operations if _model_of(operation) not in new]
    return [NewTables(of_new), *MigrationOptimizer().optimize(others, app_label)]


class NewTables(Operation):
    """Makes the tables of those models of one app that these operations leave behind."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # Where a state has made its classes, it makes them anew with each operation.
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for model in self._models(app_label, schema_editor, from_state, to_state):
            schema_editor.create_model(model)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for model in reversed(self._models(app_label, schema_editor, to_state, from_state)):
            schema_editor.delete_model(model)

    def describe(self) -> str:
        return "Make new tables at once"

    def _models(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        before: ProjectState,
        after: ProjectState,
    ) -> list[Any]:
        new = [key for key in after.models if key[0] == app_label and key not in before.models]
        models = [after.apps.get_model(*key) for key in new]
        return [model for model in models if self.allow_migrate_model(schema_editor.connection.alias, model)]


def _operations(app_label: str, names: Iterable[str]) -> Iterable[Operation]:
    for name in names:
        for operation in import_module(f"{app_label}.migrations.{name}").Migration.operations:
            if isinstance(operation, SeparateDatabaseAndState):
                yield from operation.state_operations
            elif not isinstance(operation, RunPython | RunSQL):
                yield operation


def _model_of(operation: Any) -> str:
    """In lower case. Operations on fields, indexes and constraints name it otherwise than those on models."""
    return str(operation.model_name_lower if hasattr(operation, "model_name_lower") else operation.name_lower)
