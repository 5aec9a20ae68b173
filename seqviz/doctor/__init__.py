"""What is wrong with a recurrent network, and what cures do on the data."""

from seqviz.doctor.examine import doctor
from seqviz.doctor.finding import Cure, Diagnosis, Effect, Finding, Row

__all__ = ["Cure", "Diagnosis", "Effect", "Finding", "Row", "doctor"]
