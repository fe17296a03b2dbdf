# Managed by the template: the framework's own tests of this server; new ones arrive with a new framework.
from launchworthy.testing.contract import *
