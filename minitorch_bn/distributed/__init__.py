"""More than one process: torch.distributed's names, over MPI (mpi4py) or NCCL (CuPy's).

Launch with ``mpiexec -n 4 python -m mpi4py script.py``: every process is a rank and runs the whole script. Nothing here
is needed in one process: without `init_process_group`, layers and samplers find themselves alone.
"""

from .collectives import (
    ReduceOp,
    Work,
    all_gather,
    all_gather_object,
    all_reduce,
    barrier,
    broadcast,
    broadcast_object_list,
    reduce,
)
from .group import (
    destroy_process_group,
    get_backend,
    get_rank,
    get_world_size,
    init_process_group,
    is_available,
    is_initialized,
    is_mpi_available,
    is_nccl_available,
)
