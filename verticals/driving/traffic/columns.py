"""What is known of every road user: the columns of an actor, its kinds and its manners.

Actors are plain rows of float64, so that a state is copied, compared and written without loss and
the compiled loops read it directly. Row 0 is the vehicle that decides ("ego").
"""

from __future__ import annotations

NOBODY, CAR, TRUCK, CYCLIST, PEDESTRIAN, OBSTACLE, PHANTOM = range(7)  # KIND
KINDS = ("nobody", "car", "truck", "cyclist", "pedestrian", "obstacle", "phantom")
SIZES = ((0.0, 0.0), (5.0, 2.0), (12.0, 2.5), (1.8, 0.6), (0.6, 0.6), (4.5, 2.0), (4.0, 2.0))

# MODE: who moves it. A driver follows rules; a scripted one keeps its speed and lane whatever
# happens; a straight one does not even steer (wrong-way, jaywalking); a walker crosses with care.
DRIVER, SCRIPTED, STRAIGHT, WALKER = range(4)

(
    KIND,
    MODE,
    PATH,  # the path whose coordinates S and D are in
    S,  # metres along the path
    D,  # metres to the left of it
    PHI,  # heading against the path, radians
    V,  # speed, m/s
    A,  # acceleration of the last step, m/s^2
    GOAL,  # the path it steers to
    WISH,  # the speed it would like, m/s
    LENGTH,
    WIDTH,
    TIMER,  # seconds since it last thought of changing lane, or until a walker starts
    DELTA,  # exponent of its IDM
    X,  # world pose of its middle
    Y,
    HEADING,
    YIELDING,  # 1 while it gives way at a junction
    CRASHED,
    SEEN,  # share of it that is in view of the ego, 0 to 1
    TRACKED,  # 1 while the perception holds it
    SEEN_X,  # what the perception says of it
    SEEN_Y,
    SEEN_HEADING,
    SEEN_V,
    BOLD,  # 0 keeps the usual headway and cuts nobody off; 1 halves it and does
    STARTLED,  # seconds for which it goes on braking for no reason that others see
    USUAL,  # what it wishes when that is over, m/s
    HELD,  # seconds for which it is still remembered; what is said of it then is extrapolated
) = range(29)
COLUMNS = 29
COLUMN_NAMES = (
    "kind", "mode", "path", "s", "d", "phi", "v", "a", "goal", "wish", "length", "width", "timer",
    "delta", "x", "y", "heading", "yielding", "crashed", "seen", "tracked", "seen_x", "seen_y",
    "seen_heading", "seen_v", "bold", "startled", "usual", "held",
)  # fmt: skip

# What is known of an environment as a whole: the columns of `State.world`.
(
    TIME,
    STEPS,
    GEAR,  # index of the ego's target speed
    REASON,  # why the shield stepped in during the last step; 0 if it did not
    BLAMED,  # the actor it did so for
    CAP,  # the highest acceleration it allowed, m/s^2
    CULPRIT,  # the actor that the ego collided with; 0 if none
    RED,  # 1 if the ego crossed a stop line at red during the last step
    JERK,  # root of the mean squared jerk of the last step, m/s^3
    HARD,  # hardest braking of the last step, m/s^2, positive
    NEAREST,  # least time to collision during the last step, s
    UNSAFE,  # seconds of the last step in which a safe distance was broken
) = range(12)
WORLD = 12

LANE_LEFT, IDLE, LANE_RIGHT, FASTER, SLOWER = range(5)
ACTIONS = ("LANE_LEFT", "IDLE", "LANE_RIGHT", "FASTER", "SLOWER")
