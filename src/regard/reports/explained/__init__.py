"""The page that goes through every step of an attention: ``regard.explain_page``."""

from regard.reports.explained.page import explain_page

__all__ = ["explain_page"]
