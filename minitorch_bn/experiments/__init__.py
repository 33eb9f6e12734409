"""The experiments of the course: functions for notebooks, and python -m minitorch_bn circles|names|digits|all.

circles.py   two classes of points, a ring inside a ring: with BatchNorm, without, at nine learning rates
sweep.py     what many runs of the circles say: numbers, a table, a verdict
names.py     a network that writes French first names: with BatchNorm, without
text.py      names -> symbols -> examples
digits.py    handwritten digits: a residual network (digits_net.py) with BatchNorm, GroupNorm, without
digits_results.py  what many runs of the digits say: numbers, tables, a verdict
together.py  circles and names at full size, one table
figures.py   one look for all figures of the project; circles_figures.py, names_figures.py, ...: the figures themselves
jobs.py      many runs on all cores, one progress bar
ranks.py     one network on several ranks: who speaks and writes; checkpoints.py: how a run goes on after a stop
results.py   options that are checked, files that are written whole, tables
"""
