"""The studies, one a module; each is written in the public interface of fastgrok."""
