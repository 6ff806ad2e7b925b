// libgumbo with a meter on its allocations.
//
// libgumbo 0.10 has no limits of its own, frees a tree by recursion (200,000
// nested <div> overflow the stack) and copies formatting elements into each
// block they reach into (a page of n bytes can make n² nodes). All of that
// shows in what it allocates: so it allocates from an arena that counts, and
// that leaves the parser by longjmp when there is too much. Nothing is freed
// but the arena as a whole.
#include "core/html/html_tree.h"

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace pony {
namespace {

constexpr std::size_t k_most_nodes = 250'000;
// A tag of four bytes can make three: <td> also a row and a group of rows.
constexpr std::size_t k_nodes_a_byte = 4;
constexpr std::size_t k_nodes_at_least = 1000;
constexpr std::size_t k_most_attributes = 500;
constexpr std::size_t k_most_bytes = std::size_t{192} << 20;
constexpr std::size_t k_chunk = std::size_t{64} << 10;
// A tree is measured at every so many nodes, and between two measurements it
// can become deeper by as many: both together stay below k_deepest.
constexpr std::size_t k_measured_every = 128;
constexpr std::size_t k_deep = 600;

constexpr std::size_t aligned(std::size_t size) {
  return (size + 15) & ~std::size_t{15};
}

constexpr std::size_t k_node = aligned(sizeof(GumboNode));

}  // namespace

// Where libgumbo's memory comes from. Nodes have a place of their own, so that
// what is said to be a node's parent can be told from other bytes: an
// allocation counts as a node's by its size only.
class HtmlTree::Meter {
 public:
  Meter() = default;
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  ~Meter();

  // The tree of `source`, or null when the meter gave up.
  GumboOutput* parse(std::string_view source);

 private:
  struct Chunk {
    Chunk* before;
  };
  static void* allocate(void* meter, std::size_t size);
  static void keep(void*, void*) {}

  void* node();
  void* bytes(std::size_t size);
  bool is_node(const void* pointer) const;
  void measure_depth();
  bool is_too_deep(std::size_t node) const;
  void add_chunk(std::size_t size);
  [[noreturn]] void give_up() { std::longjmp(way_out_, 1); }

  std::jmp_buf way_out_;
  // Reserved for all nodes there may be; of a large reservation the system
  // gives memory only to the part that is written to.
  char* nodes_ = nullptr;
  std::size_t most_nodes_ = 0;
  std::size_t node_count_ = 0;
  Chunk* chunks_ = nullptr;
  char* free_ = nullptr;
  std::size_t free_size_ = 0;
  std::size_t total_ = 0;
  std::size_t attributes_ = 0;  // since the last node
};

HtmlTree::Meter::~Meter() {
  std::free(nodes_);
  while (chunks_ != nullptr) std::free(std::exchange(chunks_, chunks_->before));
}

GumboOutput* HtmlTree::Meter::parse(std::string_view source) {
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = &Meter::allocate;
  options.deallocator = &Meter::keep;
  options.userdata = this;
  options.max_errors = 0;
  // No object with a destructor lives between here and the jump's start.
  if (setjmp(way_out_) != 0) return nullptr;
  most_nodes_ =
      std::min(k_most_nodes, k_nodes_at_least + k_nodes_a_byte * source.size());
  nodes_ = static_cast<char*>(std::malloc(most_nodes_ * k_node));
  if (nodes_ == nullptr) return nullptr;
  return gumbo_parse_with_options(&options, source.data(), source.size());
}

void* HtmlTree::Meter::allocate(void* meter, std::size_t size) {
  auto& self = *static_cast<Meter*>(meter);
  if (size == sizeof(GumboNode)) return self.node();
  // libgumbo compares each attribute with all before it.
  if (size == sizeof(GumboAttribute) && ++self.attributes_ > k_most_attributes)
    self.give_up();
  return self.bytes(aligned(size));
}

void* HtmlTree::Meter::node() {
  attributes_ = 0;
  if (node_count_ == most_nodes_) give_up();
  char* place = nodes_ + node_count_ * k_node;
  if (node_count_ > 0 && node_count_ % k_measured_every == 0) measure_depth();
  ++node_count_;
  return place;
}

void* HtmlTree::Meter::bytes(std::size_t size) {
  if (size > free_size_) add_chunk(size);
  free_size_ -= size;
  return std::exchange(free_, free_ + size);
}

void HtmlTree::Meter::add_chunk(std::size_t size) {
  // What is larger than a chunk gets one to itself.
  const std::size_t whole = aligned(sizeof(Chunk)) + std::max(size, k_chunk);
  if (size > k_most_bytes || total_ + whole > k_most_bytes) give_up();
  auto* chunk = static_cast<Chunk*>(std::malloc(whole));
  if (chunk == nullptr) give_up();
  total_ += whole;
  chunk->before = std::exchange(chunks_, chunk);
  free_ = reinterpret_cast<char*>(chunk) + aligned(sizeof(Chunk));
  free_size_ = whole - aligned(sizeof(Chunk));
}

bool HtmlTree::Meter::is_node(const void* pointer) const {
  const auto place = reinterpret_cast<std::uintptr_t>(pointer);
  const auto first = reinterpret_cast<std::uintptr_t>(nodes_);
  return place >= first && place < first + node_count_ * k_node &&
         (place - first) % k_node == 0;
}

// What was made last is below all that is open. The very last may not hang in
// the tree yet: an element is made before the text in front of it.
void HtmlTree::Meter::measure_depth() {
  constexpr std::size_t k_looked_at = 4;
  for (std::size_t back = 1; back <= k_looked_at; ++back)
    if (is_too_deep(node_count_ - back)) give_up();
}

bool HtmlTree::Meter::is_too_deep(std::size_t index) const {
  const auto* node =
      reinterpret_cast<const GumboNode*>(nodes_ + index * k_node);
  for (std::size_t depth = 0; is_node(node->parent); node = node->parent)
    if (++depth > k_deep) return true;
  return false;
}

std::optional<HtmlTree> HtmlTree::parse(std::string_view source) {
  auto meter = std::make_unique<Meter>();
  const GumboOutput* output = meter->parse(source);
  if (output == nullptr) return std::nullopt;
  return HtmlTree(std::move(meter), *output);
}

HtmlTree::HtmlTree(std::unique_ptr<Meter> meter, const GumboOutput& output)
    : meter_(std::move(meter)), root_(output.root) {}

HtmlTree::HtmlTree(HtmlTree&&) noexcept = default;
HtmlTree& HtmlTree::operator=(HtmlTree&&) noexcept = default;
HtmlTree::~HtmlTree() = default;

const GumboNode& HtmlTree::root() const {
  return *root_;
}

std::optional<std::string_view> attribute_of(const GumboNode& element,
                                             const char* name) {
  const GumboAttribute* found =
      gumbo_get_attribute(&element.v.element.attributes, name);
  if (found == nullptr) return std::nullopt;
  return std::string_view(found->value);
}

}  // namespace pony
