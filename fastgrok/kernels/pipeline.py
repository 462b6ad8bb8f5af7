"""Numba's compiler without what no kernel here needs: most of the time that it takes is not LLVM's.

What was measured, and what each omission gave, is in docs/design/0015-compile-time.md.
"""

import copy
from typing import Any

from numba import _dynfunc
from numba.core import compiler, typed_passes, untyped_passes
from numba.core.codegen import JITCodeLibrary

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


class _Library(JITCodeLibrary):
    """The code of a function, simplified function by function before it is linked."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        passes, builder = self._codegen._function_pass_manager()
        for function in ll_module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


class _KernelLibrary(_Library):
    """The code of a kernel: everything is inlined by now, and written in vectors, so LLVM has none to look for."""

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager(loop_vectorize=False, slp_vectorize=False)
        passes.run(self._final_module, builder)


class _DeviceLibrary(_Library):
    """The code of a device function, neither optimised as a whole nor turned into machine code.

    Numba would do both, for every function that a kernel calls and for everything inlined into it. That is most of
    the compile time, and it does harm: a loop that is unrolled while its length is unknown is marked to be left
    alone, and stays a loop when the length becomes a constant in the caller.
    """

    def _optimize_final_module(self) -> None:
        """Do nothing: that is for the kernel."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class KernelCompiler(compiler.Compiler):
    """Numba's compiler with the passes that kernels need."""

    _library_class: type[JITCodeLibrary] = _KernelLibrary

    def compile_extra(self, func: Any) -> Any:
        """Compile a function."""
        library = self._library_class(self.state.targetctx.codegen(), func.__qualname__)
        library.enable_object_caching()
        self.state.library = library
        return super().compile_extra(func)

    def define_pipelines(self) -> list[Any]:
        """Return Numba's passes without the needless ones."""
        pipelines = super().define_pipelines()
        for manager in pipelines:
            manager.passes[:] = [step for step in manager.passes if step[0] not in _NEEDLESS]
        return pipelines


class DeviceCompiler(KernelCompiler):
    """The same for a device function: there is no machine code that Python could call."""

    _library_class = _DeviceLibrary

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        context = copy.copy(self.state.targetctx)
        context.get_executable = _not_executable
        self.state.targetctx = context


def _not_executable(library: Any, fndesc: Any, env: Any) -> Any:
    """Stand for a device function in its dispatcher, which wants an object for it; nothing calls it from Python."""
    name = fndesc.qualname.split(".")[-1]
    return _dynfunc.make_function(fndesc.lookup_module(), name, "a device function", 0, env, (library,))
