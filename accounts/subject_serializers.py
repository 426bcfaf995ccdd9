"""What limits and budgets have in common as JSON: for whom they are."""

from typing import Any

from rest_framework import serializers

from accounts.models import Team
from accounts.models.subject import KINDS, SubjectModel
from accounts.serializers import ListParameters, StrictSerializer
from accounts.subject_rows import name_subject
from gateway.core.choice_field import ChoiceField

_SUBJECT = "Whom it is for; a key stands for its lineage."
_SUBJECT_ID = "A key's id, a member's user name, or a slug; it may be left out where the subject is the team."
COMMON = ["id", "object", "team", "subject", "subject_id"]


class SubjectListParameters(ListParameters):
    """The query of a list."""

    subject = ChoiceField(choices=KINDS, required=False, help_text=_SUBJECT)
    subject_id = serializers.CharField(max_length=150, required=False, help_text=_SUBJECT_ID)


class NewSubjectRowSerializer(StrictSerializer):
    """What any of them is made from, besides its own terms."""

    subject = ChoiceField(choices=KINDS, help_text=_SUBJECT)
    subject_id = serializers.CharField(max_length=150, required=False, help_text=_SUBJECT_ID)


class SubjectRowSerializer(serializers.ModelSerializer[Any]):
    """One of them; its fields begin with those in COMMON."""

    id = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    team = serializers.SerializerMethodField(help_text="The team's slug.")
    subject = serializers.CharField(source="subject_kind", read_only=True, help_text=_SUBJECT)
    subject_id = serializers.SerializerMethodField(
        help_text="As it is named when one is made. Of a key that was rotated: the first of its lineage."
    )
    set_by = serializers.CharField(read_only=True, help_text="Who set it last; empty: nobody knows.")

    def get_id(self, row: SubjectModel) -> str:
        return str(row.pk)

    def get_object(self, row: SubjectModel) -> str:
        return str(row._meta.model_name)

    def get_team(self, row: SubjectModel) -> str:
        subject: Any = row.subject_row
        return str(subject.slug if isinstance(subject, Team) else subject.team.slug)

    def get_subject_id(self, row: SubjectModel) -> str:
        return name_subject(row.subject_row)
