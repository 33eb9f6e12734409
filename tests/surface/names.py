"""The promised interface, name by name, as written after `torch.`; test_rows.py wants rows for each."""

TOP = """
    tensor as_tensor from_numpy zeros ones full empty arange linspace eye zeros_like ones_like rand randn
    randint randperm normal bernoulli multinomial float32 float64 float16 int64 int32 int16 int8 uint8 bool
    device no_grad enable_grad set_grad_enabled is_grad_enabled manual_seed Generator get_default_dtype
    set_default_dtype is_tensor allclose equal save load cuda.is_available cuda.synchronize __version__ cat
    stack histogram topk sort unique Tensor Size inference_mode is_floating_point batch_norm group_norm instance_norm
    layer_norm rms_norm dropout backends.cudnn
"""
TENSOR = """
    shape ndim dtype device requires_grad is_leaf grad_fn grad data T mT backward retain_grad detach clone numpy
    item tolist to cpu cuda float double long int bool type size dim numel nelement view reshape flatten permute
    transpose squeeze unsqueeze expand contiguous sum mean var std max min argmax argmin amax amin abs exp log
    log10 log2 sqrt rsqrt pow tanh sigmoid relu softmax log_softmax logsumexp clamp norm cumsum matmul mm bmm
    masked_fill where gather index_select zero_ fill_ add_ mul_ sub_ copy_ requires_grad_ uniform_ normal_
    __array__ __iter__ __repr__ __getitem__ __setitem__ __matmul__ __add__ __sub__ __mul__ __truediv__
    __floordiv__ __mod__ __pow__ __neg__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__
"""
# those of TENSOR that PyTorch has as functions, too
FUNCTIONS = """
    clone reshape flatten permute transpose squeeze unsqueeze sum mean var std max min argmax argmin amax amin
    abs exp log log10 log2 sqrt rsqrt pow tanh sigmoid relu softmax log_softmax logsumexp clamp norm cumsum
    matmul mm bmm masked_fill where gather index_select numel
"""
NN = """
    Module Parameter Buffer Sequential ModuleList Linear Conv2d Embedding Flatten Identity Tanh ReLU LeakyReLU
    Sigmoid GELU Softmax LogSoftmax Dropout MaxPool2d AvgPool2d AdaptiveAvgPool2d BatchNorm1d BatchNorm2d
    BatchNorm3d SyncBatchNorm LayerNorm GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d RMSNorm
    CrossEntropyLoss NLLLoss MSELoss BCEWithLogitsLoss ModuleDict ParameterList Unflatten Dropout1d Dropout2d
    AdaptiveMaxPool2d ELU CELU SELU SiLU Mish ReLU6 Hardtanh LogSigmoid Softsign Tanhshrink Softplus Softmin
    Softmax2d BCELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss functional.elu functional.celu functional.selu
    functional.silu functional.mish functional.relu6 functional.hardtanh functional.logsigmoid
    functional.softsign functional.tanhshrink functional.softplus functional.softmin functional.dropout1d
    functional.dropout2d functional.adaptive_max_pool2d functional.l1_loss functional.smooth_l1_loss
    functional.huber_loss functional.binary_cross_entropy functional.kl_div functional.relu_
    functional.leaky_relu_ functional.elu_ functional.celu_ functional.selu_ functional.hardtanh_
    functional.linear functional.conv2d functional.embedding functional.tanh functional.relu
    functional.leaky_relu functional.sigmoid functional.gelu functional.softmax functional.log_softmax
    functional.dropout functional.max_pool2d functional.avg_pool2d functional.adaptive_avg_pool2d
    functional.batch_norm functional.layer_norm functional.group_norm functional.instance_norm
    functional.rms_norm functional.cross_entropy functional.nll_loss functional.mse_loss
    functional.binary_cross_entropy_with_logits functional.one_hot functional.pad init.uniform_ init.normal_
    init.constant_ init.ones_ init.zeros_ init.eye_ init.xavier_uniform_ init.xavier_normal_
    init.kaiming_uniform_ init.kaiming_normal_ init.trunc_normal_ init.orthogonal_ init.calculate_gain
    utils.clip_grad_norm_ utils.fuse_conv_bn_eval utils.fuse_linear_bn_eval parallel.DistributedDataParallel
"""
MODULE = """
    parameters named_parameters buffers named_buffers modules named_modules children named_children state_dict
    load_state_dict train eval to cpu cuda float double zero_grad requires_grad_ apply register_buffer
    register_parameter register_forward_hook register_full_backward_hook __setattr__ __repr__ add_module
    register_module register_forward_pre_hook register_full_backward_pre_hook get_submodule set_submodule
    get_parameter get_buffer get_extra_state half type to_empty extra_repr __call__ __delattr__ __setstate__
    __dir__
"""
OPTIM = """
    SGD Adam AdamW RMSprop Adagrad Optimizer lr_scheduler.LRScheduler lr_scheduler.StepLR
    lr_scheduler.MultiStepLR lr_scheduler.CosineAnnealingLR lr_scheduler.CosineAnnealingWarmRestarts
    lr_scheduler.LambdaLR lr_scheduler.MultiplicativeLR lr_scheduler.ConstantLR lr_scheduler.LinearLR
    lr_scheduler.ExponentialLR lr_scheduler.PolynomialLR lr_scheduler.OneCycleLR lr_scheduler.CyclicLR
    lr_scheduler.ReduceLROnPlateau lr_scheduler.SequentialLR lr_scheduler.ChainedScheduler swa_utils.update_bn
    swa_utils.get_ema_multi_avg_fn swa_utils.get_swa_multi_avg_fn
    Optimizer.add_param_group Optimizer.state_dict Optimizer.load_state_dict Optimizer.zero_grad Optimizer.step
"""
DATA = """
    Dataset IterableDataset TensorDataset StackDataset ConcatDataset ChainDataset Subset random_split Sampler
    SequentialSampler RandomSampler SubsetRandomSampler WeightedRandomSampler BatchSampler DataLoader
    default_collate default_convert get_worker_info distributed.DistributedSampler
"""
AUTOGRAD = "Function gradcheck detect_anomaly grad backward set_detect_anomaly Variable no_grad"
DISTRIBUTED = """
    init_process_group is_initialized get_rank get_world_size all_reduce all_gather broadcast barrier
    destroy_process_group ReduceOp
"""


def promised():
    """All names."""
    prefixes = {
        "": TOP + FUNCTIONS,
        "Tensor.": TENSOR,
        "nn.": NN,
        "nn.Module.": MODULE,
        "optim.": OPTIM,
        "utils.data.": DATA,
        "autograd.": AUTOGRAD,
        "distributed.": DISTRIBUTED,
    }
    return [prefix + name for prefix, names in prefixes.items() for name in names.split()]
