"""What did the operator configure, and is any of it a secret?"""

from launchworthy.settings.class_check import check_settings_class
from launchworthy.settings.closed import (
    AbsolutePath,
    Address,
    DataFile,
    Duration,
    Hostname,
    Identifier,
    Origin,
    Reference,
    Url,
)
from launchworthy.settings.credential_tables import EXCHANGES, SCOPED, CredentialSettings
from launchworthy.settings.data_class import bounded_by_class, class_in_force, waits_for_disk
from launchworthy.settings.issuer_exceptions import NamedException
from launchworthy.settings.issuer_exceptions import listed as listed_exceptions
from launchworthy.settings.key_ring import KeyRing, RingKey
from launchworthy.settings.loading import inspect_settings, load_framework_settings, load_settings
from launchworthy.settings.project import ProjectFiles, find_project, installed_package, read_project
from launchworthy.settings.resolved import Replacement, Settings
from launchworthy.settings.schema import settings_schema
from launchworthy.settings.secret_refs import parse_secret_ref
from launchworthy.settings.strict import AppSettings, StrictSettings
from launchworthy.settings.tables import IssuerSettings, WorldSettings
from launchworthy.settings.tenancy import require_tenant_claims
from launchworthy.settings.worlds import check_worlds

__all__ = [
    "EXCHANGES",
    "SCOPED",
    "AbsolutePath",
    "Address",
    "AppSettings",
    "CredentialSettings",
    "DataFile",
    "Duration",
    "Hostname",
    "Identifier",
    "IssuerSettings",
    "KeyRing",
    "NamedException",
    "Origin",
    "ProjectFiles",
    "Reference",
    "Replacement",
    "RingKey",
    "Settings",
    "StrictSettings",
    "Url",
    "WorldSettings",
    "bounded_by_class",
    "check_settings_class",
    "check_worlds",
    "class_in_force",
    "find_project",
    "inspect_settings",
    "installed_package",
    "listed_exceptions",
    "load_framework_settings",
    "load_settings",
    "parse_secret_ref",
    "read_project",
    "require_tenant_claims",
    "settings_schema",
    "waits_for_disk",
]
