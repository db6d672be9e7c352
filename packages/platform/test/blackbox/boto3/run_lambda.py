"""Every operation of Lambda that is built."""

import lambda_functions  # noqa: F401 - declares its cases
import lambda_mappings  # noqa: F401 - declares its cases
import lambda_settings  # noqa: F401 - declares its cases
from stage import run

run("lambda")
