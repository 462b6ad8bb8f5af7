"""Numba's compiler without what no kernel here needs: most of the time that it takes is not LLVM's.

What was measured, and what each omission gave, is in docs/design/0015-compile-time.md.
"""

import contextlib
import copy
import importlib
import sys
from collections.abc import Iterator
from typing import Any

import numba
from numba import _dynfunc
from numba.core import compiler, compiler_machinery, typed_passes, types, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.cpu import CPUContext
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.typing.context import Context as CPUTypingContext
from numba.extending import typeof_impl

from fastgrok.kernels.lanes.arguments import arguments_of
from fastgrok.kernels.lanes.memory import align_stack
from fastgrok.kernels.machine import ENTRY, function_passes

# Passes for Python that kernels do not contain: `with`, closures, array expressions, literal_unroll, inline="always".
_NEEDLESS = {
    untyped_passes.WithLifting,
    untyped_passes.InlineClosureLikes,
    untyped_passes.RewriteDynamicRaises,
    untyped_passes.MakeFunctionToJitFunction,
    untyped_passes.InlineInlinables,
    untyped_passes.FindLiterallyCalls,
    untyped_passes.LiteralUnroll,
    untyped_passes.LiteralPropagationSubPipelinePass,
    typed_passes.InlineOverloads,
    typed_passes.NopythonRewrites,
    typed_passes.NoPythonSupportedFeatureValidation,
    typed_passes.DumpParforDiagnostics,
}


class _Passes(compiler_machinery.PassManager):
    """Numba's passes, run one after the other; Numba's own manager measures, announces and tidies up after each.

    What a pass needs to know of the variables it finds out itself.
    """

    def _runPass(self, index: int, step: Any, state: Any) -> None:
        step.analysis = self._analysis
        step.run_initialization(state)
        step.run_pass(state)
        step.run_finalizer(state)


class _DeviceLibrary(JITCodeLibrary):
    """The code of a device function alone, neither optimised as a whole nor turned into machine code.

    Numba would do both, for every function that a kernel calls and for everything inlined into it. That is most of
    the compile time, and it does harm: a loop that is unrolled while its length is unknown is marked to be left
    alone, and stays a loop when the length becomes a constant in the caller.
    """

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        passes, builder = function_passes()  # Numba's own are those that NUMBA_OPT and the like say
        for function in ll_module.functions:
            if not function.is_declaration:
                passes.run(function, builder)

    def finalize(self) -> None:
        """Have the function ready to be linked into kernels."""
        self._finalize_dynamic_globals()
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage.name == "external":
                function.linkage = "linkonce_odr"
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        """Return the function with all that it calls, each once."""
        if self._shared_module is None:
            seen: dict[Any, None] = {}
            self._callees(seen)
            whole = self._final_module.clone()
            for library in seen:
                alone = library._final_module if isinstance(library, _DeviceLibrary) else None
                whole.link_in(alone or library._get_module_for_linking(), preserve=True)
            self._shared_module = whole
        return self._shared_module

    _shared_module: Any

    def _callees(self, seen: dict[Any, None]) -> None:
        """Add the libraries that the function needs to those seen, each once."""
        for library in self._linking_libraries:
            if library not in seen:
                seen[library] = None
                if isinstance(library, _DeviceLibrary):
                    library._callees(seen)


def _import_without_scipy() -> None:
    """Import what Numba has for arrays without SciPy's linear algebra, which takes as long as Numba.

    It is imported only to know whether it is there, for products of matrices, and again by whoever compiles one.
    """
    if "numba.np.arraymath" not in sys.modules:
        linalg: Any = importlib.import_module("numba.np.linalg")
        ensure, linalg.ensure_blas = linalg.ensure_blas, lambda: None
        try:
            arraymath: Any = importlib.import_module("numba.np.arraymath")
        finally:
            linalg.ensure_blas = ensure
        arraymath.ensure_blas = ensure


class _DeviceContext(CPUContext):
    """Numba's context for functions that Python does not call, whatever NUMBA_BOUNDSCHECK says of all functions."""

    enable_boundscheck = property(lambda self: False, lambda self, value: None)

    def get_executable(self, library: Any, fndesc: Any, env: Any) -> Any:
        """Return what stands for the function in its dispatcher, which wants an object for it."""
        name = fndesc.qualname.split(".")[-1]
        return _dynfunc.make_function(fndesc.lookup_module(), name, "a device function", 0, env, (library,))


class DeviceCompiler(compiler.Compiler):
    """Numba's compiler with the passes that device functions need, without machine code that Python could call."""

    def __init__(self, typing: Any, target: Any, *args: Any) -> None:
        with _refreshed(typing), _refreshed(target):
            super().__init__(typing, target, *args)
        self.state.targetctx = copy.copy(self.state.targetctx)
        self.state.targetctx.__class__ = _DeviceContext

    def compile_extra(self, func: Any) -> Any:
        """Compile a function."""
        self.state.library = _DeviceLibrary(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)

    def define_pipelines(self) -> list[Any]:
        """Return Numba's passes without the needless ones."""
        (pipeline,) = super().define_pipelines()
        passes = _Passes(pipeline.pipeline_name)
        passes.passes = [step for step in pipeline.passes if step[0] not in _NEEDLESS]
        passes.finalize()
        return [passes]


class _DeviceFunction(CPUDispatcher):
    """The dispatcher of a device function: it has no machine code that Python could call."""

    def compile(self, sig: Any) -> Any:
        """Compile the function for types of arguments; unlike Numba's own this looks on no disk and keeps no time."""
        args = tuple(sig)
        if args not in self.overloads:
            self.add_overload(self._compiler.compile(args, None))
        return self.overloads[args].entry_point


def dispatcher_of(function: Any) -> Any:
    """Return the dispatcher of a device function."""
    # No fastmath: a result is the same bits on every CPU. error_model="numpy": a division by zero is an infinity.
    # No NRT, Numba's reference counts: who calls a kernel holds its arguments, and no kernel allocates.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "forceinline": True}
    options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    # Nor what NUMBA_DEBUGINFO and the like say of all functions; njit would return Python with NUMBA_DISABLE_JIT.
    options |= {"nopython": True, "debug": False, "boundscheck": False, "_dbg_extend_lifetimes": False}
    return _DeviceFunction(function, targetoptions=options, pipeline_class=DeviceCompiler)


def look_for_new() -> None:
    """Have Numba's contexts know all that has been registered with Numba."""
    _import_without_scipy()
    CPUTypingContext.refresh(cpu_target.typing_context)
    CPUContext.refresh(cpu_target.target_context)


def make_known(kind: type) -> None:
    """Have Numba know a class of device functions, which have a `dispatcher`."""
    typeof_impl.register(kind)(lambda function, context: types.Dispatcher(function.dispatcher))


def bitcode(function: Any, args: tuple[Any, ...]) -> bytes:
    """Return LLVM's code of a kernel for arguments like these, with all that it calls: a function `ENTRY`(words)."""
    run, arguments = function.dispatcher, arguments_of(tuple(map(numba.typeof, args)))
    look_for_new()
    signature = (types.CPointer(types.intp),)

    def entry(words):
        align_stack()
        run(*arguments(words))

    code: bytes = _module(dispatcher_of(entry), signature, types.none).as_bitcode()
    return code


def bitcode_of_kind(function: Any, wanted: tuple[types.Type, ...], unique: str) -> bytes:
    """Return LLVM's code of a device function, called `ENTRY`, for types of what it returns and of its arguments.

    What it calls is named after it: in another process, other functions may have the names that Numba gave these.
    """
    result, *args = wanted
    look_for_new()
    module = _module(function.dispatcher, tuple(args), result)
    for k, each in enumerate(module.functions):
        if not each.is_declaration and each.name != ENTRY:
            each.name = f"{unique}.{k}"
    code: bytes = module.as_bitcode()
    return code


def _module(dispatcher: Any, args: tuple[types.Type, ...], result: types.Type) -> Any:
    """Return a module with the function `ENTRY`, compiled for types of arguments, and all that it calls."""
    dispatcher.compile(args)
    overload = dispatcher.overloads[args]
    returned = types.unliteral(overload.signature.return_type)
    if returned != result:
        raise TypeError(f"{dispatcher.py_func.__qualname__} returns {returned}, and its caller needs {result}")
    module = overload.library._get_module_for_linking().clone()
    called = module.get_function(overload.fndesc.mangled_name)
    called.name, called.linkage = ENTRY, "external"
    return module


@contextlib.contextmanager
def _refreshed(context: Any) -> Iterator[None]:
    """Have a context look for no new registrations: it does when there are some."""
    context.refresh = lambda: None
    try:
        yield
    finally:
        del context.refresh
