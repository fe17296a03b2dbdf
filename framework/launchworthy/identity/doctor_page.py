"""How does a diagnosis read in a terminal?"""

from launchworthy.identity.doctor import Diagnosis

_COLUMN = 12


def render_diagnosis(diagnosis: Diagnosis, *, environment: str) -> str:
    """The page of `launchworthy identity doctor`, without the exit code."""
    question = diagnosis.question
    lines = [f" {environment} · expects {question.expected_id}", ""]
    lines += [
        f" {found.mark.value} {found.step.value.ljust(_COLUMN)}{found.says}" for found in diagnosis.steps
    ]
    lines += ["", *_surroundings(diagnosis), ""]
    if diagnosis.gets is not None:
        lines.append(f" Here it would get: {diagnosis.gets}")
    else:
        lines.append(" Here it would get: nothing.")
    for number, line in enumerate(diagnosis.advice):
        lines.append((" → " if number == 0 else "   ") + line)
    return "\n".join(lines) + "\n"


def _surroundings(diagnosis: Diagnosis) -> list[str]:
    process, pod = diagnosis.question.process, diagnosis.question.pod
    lines = [_fact("this process", f"uid {process.uid}, gid {process.gid}, {process.executable}")]
    if pod is not None:
        known = f"namespace {pod.namespace}, service account {pod.service_account}"
        lines.append(_fact("this pod", f"{known}  (projected token, not verified)"))
    return lines


def _fact(name: str, says: str) -> str:
    return f" {name.ljust(_COLUMN + 2)}{says}"
