"""What would change the answer."""


def change_card(desk, applicant, language):
    return ""
