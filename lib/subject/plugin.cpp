// Loading subjects from shared objects.

#include <dlfcn.h>
#include <fmt/format.h>

#include "scenario/error.hpp"
#include "subject/subject.hpp"

namespace helixcheck {

const hxc_subject& load_plugin(const std::string& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw ResourceError(fmt::format("plug-in {} cannot be loaded: {}", file, dlerror()));
  }
  const auto get = reinterpret_cast<hxc_subject_fn>(dlsym(handle, HXC_SUBJECT_SYMBOL));
  const hxc_subject* table = get != nullptr ? get() : nullptr;
  if (table == nullptr) {
    throw InputError(fmt::format("plug-in {} exports no subject: it needs a function {}", file,
                                 HXC_SUBJECT_SYMBOL));
  }
  return *table;
}

}  // namespace helixcheck
