"""Decisions: policies, the shield that keeps them safe, and what they are judged by."""
