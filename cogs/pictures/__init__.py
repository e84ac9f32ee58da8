"""Pictures: charts and maps, as PNG files that Discord shows inside an embed."""
