// The provider types of pony.yaml: which keys each has, and reading one
// provider of the file. A new type is a line in the table of the .cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/config_reader.h"

namespace pony {

// Reads the provider that `entry` holds. What is wrong becomes problems of
// `reader`; then the result is not to be used.
ProviderConfig read_provider(ConfigReader& reader, const YamlEntry& entry);

// Every key that a provider of some type may have, sorted: "host",
// "password_file", "webhook.secret" …
std::vector<std::string> provider_keys();

}  // namespace pony
