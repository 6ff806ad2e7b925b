// A templates' root of a test's own, gone at its end.
#pragma once

#include <boost/filesystem.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace pony {

class TemplatesFolder {
 public:
  TemplatesFolder()
      : path_((boost::filesystem::temp_directory_path() /
               boost::filesystem::unique_path("pony-%%%%%%%%"))
                  .string()) {
    boost::filesystem::create_directory(path_);
    boost::filesystem::permissions(path_, boost::filesystem::owner_all);
  }
  ~TemplatesFolder() {
    boost::system::error_code ignored;
    boost::filesystem::remove_all(path_, ignored);
  }
  TemplatesFolder(const TemplatesFolder&) = delete;
  TemplatesFolder& operator=(const TemplatesFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string path(const std::string& below) const {
    return path_ + "/" + below;
  }
  // Writes the file, and its folders.
  void write(const std::string& file, std::string_view text) const {
    boost::filesystem::create_directories(
        boost::filesystem::path(path(file)).parent_path());
    std::ofstream(path(file), std::ios::binary) << text;
  }
  // Its bytes, or "(none)".
  std::string read(const std::string& file) const {
    std::ifstream in(path(file), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return in ? text.str() : "(none)";
  }

 private:
  std::string path_;
};

}  // namespace pony
