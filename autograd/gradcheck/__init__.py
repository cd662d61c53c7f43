"""Derivatives verified by finite differences, with a verdict that can be believed."""

from autograd.gradcheck.check import gradcheck, gradgradcheck
from autograd.gradcheck.result import GradcheckResult, Mismatch, Verdict

__all__ = ["GradcheckResult", "Mismatch", "Verdict", "gradcheck", "gradgradcheck"]
