// What starting a program costs at the least: linked statically, does nothing.
int main() {
  return 0;
}
